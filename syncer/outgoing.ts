import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '../recorder/manifest.js'
import { withState } from '../recorder/segment-format.js'
import { EdgeError } from '../platform/edge-error.js'
import { checksumFile } from './checksum.js'
import type { LocalFile } from './local-tree.js'
import type { Receipts } from './receipts.js'
import type { OutgoingFile } from './targets/target.js'

/**
 * Takes a file's checksums and holds them against what its maker wrote down: the manifest of a segment, the receipt of a
 * Parquet file. Other files have no such word; theirs is what is read here now.
 * @throws EdgeError SYNC_SOURCE_CORRUPT the file here is not what it was made as: it must not be shipped;
 *         MANIFEST_INVALID, MANIFEST_TOO_NEW; errors of the disk as they come
 */
export async function prepareFile(
  file: LocalFile,
  replace: boolean,
  context: { dataDir: string; receipts: Receipts; signal: AbortSignal },
): Promise<OutgoingFile> {
  const { dataDir, receipts, signal } = context
  const checksums = await checksumFile(join(dataDir, file.path), signal)
  const expected = expectedSha256(file, dataDir, receipts)
  if (expected && expected.sha256 !== checksums.sha256) {
    throw new EdgeError(
      'SYNC_SOURCE_CORRUPT',
      `${file.path}: its sha256 is ${checksums.sha256}, but its ${expected.source} says ${expected.sha256}`,
      { path: file.path, hint: 'the disk of this machine may be failing; the file is kept here and not shipped' },
    )
  }
  return { path: file.path, bytes: file.bytes, mtimeMs: file.mtimeMs, ...checksums, replace }
}

function expectedSha256(
  file: LocalFile,
  dataDir: string,
  receipts: Receipts,
): { sha256: string; source: string } | undefined {
  if (file.kind === 'segment') {
    const path = withState(file.path, 'manifest')
    return { sha256: parseManifest(readFileSync(join(dataDir, path), 'utf8'), path).sha256, source: 'manifest' }
  }
  const output = file.kind === 'parquet' ? receipts.byOutput.get(file.path) : undefined
  return output && { sha256: output.sha256, source: 'receipt' }
}

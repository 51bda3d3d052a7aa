import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseManifest } from '../formats/manifest.js'
import { withState } from '../formats/raw-path.js'
import { EdgeError } from '../platform/edge-error.js'
import type { Checksums, FileRecord } from '../formats/ledger.js'
import { checksumFile } from './checksum.js'
import type { LocalFile } from './local-tree.js'
import { isCurrent } from './plan.js'
import type { Receipts } from './receipts.js'
import type { OutgoingFile } from './targets/target.js'

/**
 * Takes a file's checksums and holds them against what its maker wrote down: the manifest of a segment, the receipt of a
 * Parquet file. Other files have no such word; theirs is what is read here now, or was when they were brought before.
 * @throws EdgeError SYNC_SOURCE_CORRUPT the file here is not what it was made as: it must not be shipped;
 *         MANIFEST_INVALID, MANIFEST_TOO_NEW; errors of the disk as they come
 */
export async function prepareFile(
  file: LocalFile,
  replace: boolean,
  context: { dataDir: string; receipts: Receipts; signal: AbortSignal; record?: FileRecord | undefined },
): Promise<OutgoingFile> {
  const { dataDir, receipts, signal, record } = context
  const checksums = await checksumFile(join(dataDir, file.path), signal)
  const { source, ...expected } = expectedOf(file, dataDir, receipts, record)
  for (const kind of ['sha256', 'md5'] as const) {
    if (expected[kind] === undefined || expected[kind] === checksums[kind]) continue
    throw new EdgeError(
      'SYNC_SOURCE_CORRUPT',
      `${file.path}: its ${kind} is ${checksums[kind]}, but its ${source} says ${expected[kind]}`,
      { path: file.path, hint: 'the disk of this machine may be failing; the file is kept here and not shipped' },
    )
  }
  return { path: file.path, bytes: file.bytes, mtimeMs: file.mtimeMs, ...checksums, replace }
}

interface Expected extends Partial<Checksums> {
  /** Who says so. */
  source: 'manifest' | 'receipt' | 'ledger'
}

/**
 * What a file's maker wrote down; a manifest has the md5, too, a receipt has not. Of others only what they were when they
 * were brought: one that changed since, and not its time, rotted, and must not take the place of its good copy.
 */
function expectedOf(file: LocalFile, dataDir: string, receipts: Receipts, record: FileRecord | undefined): Expected {
  if (file.kind === 'segment') {
    const path = withState(file.path, 'manifest')
    const { sha256, md5 } = parseManifest(readFileSync(join(dataDir, path), 'utf8'), path)
    return { sha256, ...(md5 === undefined ? {} : { md5 }), source: 'manifest' }
  }
  const output = file.kind === 'parquet' ? receipts.byOutput.get(file.path) : undefined
  if (output) return { sha256: output.sha256, source: 'receipt' }
  return { ...(isCurrent(file, record) && { sha256: record.sha256 }), source: 'ledger' }
}

import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { readingOf, type DescribedFeeds } from '../../exchanges/described-feed.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { sha256Of } from '../../platform/sha256.js'
import { parseManifest, type Manifest } from '../../formats/manifest.js'
import { segmentDate, withState } from '../../formats/raw-path.js'
import type { SealedSegment } from '../backlog.js'
import { convertSegment, type Conversion } from './convert.js'
import { withEngine, type Engine, type EngineLimits } from '../engine.js'
import type { KeptEngine } from '../kept-engine.js'
import { publish, type PublishDisk } from './publish.js'
import type { Receipt } from '../../formats/receipt.js'
import type { Source } from './source.js'
import { tableOf } from '../tables.js'
import { spillFolderOf, temporaryFolder } from '../temporary.js'
import type { EarlierRows } from './write-files.js'

export interface JobOptions {
  dataDir: string
  limits: Pick<EngineLimits, 'memoryMiB' | 'threads'>
  /** Of these limits. */
  kept: KeptEngine
  duplicates: Pick<EarlierRows, 'keepDuplicates' | 'windowMs' | 'madeTimes'>
  disk: PublishDisk
  feeds?: DescribedFeeds | undefined
  /** The folder that gets `parquet/`, `quarantine/` and receipts, where it is not dataDir. */
  publishTo?: string
  log: Logger
  /** Abandons the conversion that is under way. */
  signal: AbortSignal | undefined
}

/**
 * The manifest of a sealed segment.
 * @throws EdgeError MANIFEST_MISSING, and those of `parseManifest`
 */
export function readManifest(dataDir: string, segment: SealedSegment): Manifest {
  const path = join(dataDir, withState(segment.path, 'manifest'))
  if (!existsSync(path)) {
    throw new EdgeError('MANIFEST_MISSING', `${segment.path} has no manifest, wanted ${path}`, {
      path,
      hint: 'the recorder writes it before the segment gets its name; was it deleted?',
    })
  }
  return parseManifest(readFileSync(path, 'utf8'), path)
}

/**
 * One segment from sealed file to receipt. Afterwards its outputs are durable, or nothing of it is left but files
 * under final names that the next run replaces by the same.
 * @throws EdgeError SEGMENT_DAMAGED the file is not what its manifest says; those of `convertSegment`; the signal's
 *         reason when it was aborted
 */
export async function compactSegment(
  options: JobOptions,
  segment: SealedSegment,
  manifest: Manifest,
  earlier: Receipt | undefined,
): Promise<{ receipt: Receipt; conversion: Conversion }> {
  const { dataDir, signal } = options
  const path = join(dataDir, segment.path)
  const found = await sha256Of(path)
  if (found !== manifest.sha256) {
    throw new EdgeError(
      'SEGMENT_DAMAGED',
      `${segment.path} has sha256 ${found}, its manifest says ${manifest.sha256}`,
      {
        path,
        hint: 'take it from the NAS, or move segment and manifest away',
      },
    )
  }
  const source = {
    path,
    segment: segment.path,
    name: segment.name,
    sha256: manifest.sha256,
    frames: manifest.frames,
    bytesRaw: manifest.bytes_raw,
    table: tableOf(segment.name),
    ...readingOf(segment.name.exchange, options.feeds),
  }
  try {
    return await convertAndPublish(options, source, earlier, action =>
      options.kept.use(manifest.bytes_raw, action, signal),
    )
  } catch (error) {
    if (!messageOf(error).startsWith('Out of Memory Error') || signal?.aborted) throw error
    // Rows of many 100 KB each: they are worked on 2,048 at a time, whatever the limit.
    const memoryMiB = options.limits.memoryMiB * MORE_ROOM
    options.log.warn(
      { segment: segment.path, memoryMiB, err: error },
      'segment does not fit into memory; trying again with more',
    )
    const limits = { ...options.limits, memoryMiB, spillFolder: spillFolderOf(dataDir) }
    return await convertAndPublish(options, source, earlier, action => withEngine(limits, action, signal))
  }
}

/** How much more memory a segment may have that failed for want of it. */
const MORE_ROOM = 8

type InEngine = (action: (engine: Engine) => Promise<Conversion>) => Promise<Conversion>

async function convertAndPublish(
  options: JobOptions,
  source: Source,
  earlier: Receipt | undefined,
  inEngine: InEngine,
): Promise<{ receipt: Receipt; conversion: Conversion }> {
  const { dataDir, publishTo = dataDir, signal } = options
  const folder = join(temporaryFolder(dataDir), basename(source.segment, '.jsonl.zst'))
  try {
    const conversion = await convert(options, source, folder, inEngine)
    signal?.throwIfAborted()
    const { segment, sha256, frames } = source
    const receipt = await publish(publishTo, { path: segment, sha256, frames }, conversion, earlier, options.disk)
    return { receipt, conversion }
  } catch (error) {
    // Interrupted statements fail with errors of their own; the reason is the signal's.
    signal?.throwIfAborted()
    throw error
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function convert(options: JobOptions, source: Source, folder: string, inEngine: InEngine): Promise<Conversion> {
  const { dataDir, publishTo = dataDir } = options
  mkdirSync(folder, { recursive: true })
  const earlier = {
    rootsOf: (date: string) => [date === segmentDate(source.name) ? publishTo : dataDir],
    ...options.duplicates,
    onUnreadable: (path: string, message: string) =>
      options.log.warn({ path, message }, 'a file near this segment cannot be read; copies in it are not known'),
  }
  return inEngine(engine => convertSegment(engine, source, earlier, folder))
}

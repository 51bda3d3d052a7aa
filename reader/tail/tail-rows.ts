import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine, type Engine } from '../../compactor/engine.js'
import { convertSegment } from '../../compactor/segment/convert.js'
import { mayFill, tableOf } from '../../compactor/tables.js'
import { segmentPath, type SegmentName } from '../../formats/raw-path.js'
import { readingOf } from '../../exchanges/described-feed.js'
import { sqlText } from '../../platform/duckdb.js'
import { groupBy } from '../../platform/group-by.js'
import { APPEND_LEVEL, compressBound, frameCompressor } from '../../platform/zstd.js'
import type { LineFrame } from '../frame.js'
import type { FreshSettings } from '../query/fresh-rows.js'
import { tailFrameBatches, type TailOptions } from './tail-frames.js'

export interface TailRowsOptions extends TailOptions {
  /** Of this table. */
  table: string
  settings: FreshSettings
  /** Called for frames that make no row of any table. */
  note: (text: string) => void
}

/** Rows as they are recorded, in batches, as JSON: made of each batch of frames as the compactor would. */
export async function* tailRows({
  table,
  settings,
  note,
  ...options
}: TailRowsOptions): AsyncGenerator<string[], void> {
  const scratch = mkdtempSync(join(tmpdir(), 'edgetape-tail-'))
  try {
    mkdirSync(join(scratch, 'spill'))
    for await (const batch of tailFrameBatches(options)) {
      const own = batch.filter(({ family }) => mayFill(table, family))
      for (const frames of groupBy(own, frame => keyOf(frame.segment)).values()) {
        // A conversion leaves its tables behind.
        const engine = await openEngine({ ...settings.limits, spillFolder: join(scratch, 'spill') })
        try {
          const rows = await rowsOf(engine, table, frames, scratch, settings, note)
          if (rows.length > 0) yield rows
        } finally {
          engine.close()
        }
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

const keyOf = (name: SegmentName | undefined) => (name ? segmentPath(name, 'sealed') : '')

async function rowsOf(
  engine: Engine,
  table: string,
  frames: readonly LineFrame[],
  scratch: string,
  { windowMs, feeds }: FreshSettings,
  note: (text: string) => void,
): Promise<string[]> {
  const name = frames[0]?.segment
  if (!name) return []
  const folder = join(scratch, 'batch')
  mkdirSync(folder)
  try {
    const path = join(folder, 'lines.jsonl.zst')
    const lines = frames.flatMap(({ line }) => [line, LINE_FEED])
    writeFileSync(path, packed(Buffer.concat(lines)))
    const source = {
      ...{ path, sha256: '', frames: frames.length, segment: segmentPath(name, 'sealed'), name, table: tableOf(name) },
      ...readingOf(name.exchange, feeds),
    }
    // Nothing is looked for that came before: what two connections brought is shown twice.
    const earlier = { rootsOf: () => [], keepDuplicates: true, windowMs, onUnreadable: note }
    const { parts, quarantined } = await convertSegment(engine, source, earlier, folder)
    if (quarantined > 0) note(`${quarantined} frames of ${name.channel} make no row`)
    const files = parts.filter(part => part.table === table).map(part => sqlText(part.temporary))
    if (files.length === 0) return []
    const rows = await engine.rows(
      `SELECT to_json(t)::VARCHAR FROM (SELECT * FROM read_parquet([${files.join(', ')}], hive_partitioning = false)
        ORDER BY recv_ts, conn, seq) t`,
    )
    return rows.map(([row]) => String(row))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const LINE_FEED = Buffer.from('\n')

function packed(lines: Buffer): Buffer {
  const target = Buffer.allocUnsafe(compressBound(lines.length))
  return target.subarray(0, frameCompressor(APPEND_LEVEL).compress2(target, lines))
}

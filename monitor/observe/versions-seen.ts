import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { SCHEMA_VERSION } from '../../compactor/tables.js'
import { SEGMENT_FORMAT_VERSION } from '../../formats/manifest.js'
import { compactorState, datesWithReceipts, parseReceiptLines } from '../../formats/receipt.js'
import { version } from '../../platform/package-info.js'

/** Of the program that looks, and of what lies in the tree. */
export interface VersionsSeen {
  edgetape: string
  /** Format of segments that it writes and reads. */
  segments: number
  /** Schema of tables that it writes, … */
  tables: number
  /** … and those of the first and the last date that were converted here: dates between are not looked at. */
  tablesHere: number[]
}

/** The first receipts of a date say enough. */
const LOOKED_AT_BYTES = 16 * 1024

export function versionsOf(dataDir: string): VersionsSeen {
  const dates = datesWithReceipts(dataDir).sort()
  const ends = new Set([dates[0], dates.at(-1)].flatMap(date => date ?? []))
  const found = [...ends].flatMap(date => firstVersions(join(compactorState(dataDir), `done-${date}.jsonl`)))
  return {
    edgetape: version,
    segments: SEGMENT_FORMAT_VERSION,
    tables: SCHEMA_VERSION,
    tablesHere: [...new Set(found)].sort((a, b) => a - b),
  }
}

function firstVersions(path: string): number[] {
  const file = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(LOOKED_AT_BYTES)
    const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0))
    return parseReceiptLines(text).map(({ schema_version }) => schema_version)
  } finally {
    closeSync(file)
  }
}

/** In words, for `status` and the page. */
export function versionsText({ edgetape, segments, tables, tablesHere }: VersionsSeen): string {
  const others = tablesHere.filter(version => version !== tables)
  const older = others.length > 0 ? `, here also of version ${others.join(', ')}` : ''
  return `edgetape ${edgetape}: segments of format ${segments}, tables of schema version ${tables}${older}`
}

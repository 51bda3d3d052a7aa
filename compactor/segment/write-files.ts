import { identityOf } from '../../exchanges/table.js'
import { dropDuplicates, type Duplicates, type DuplicatesQuestion } from '../files/duplicates.js'
import { countOf } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Column } from '../lines/columns.js'
import { findCandidateFiles, originOf } from '../files/candidate-files.js'
import type { MadeTimes } from '../files/made-times.js'
import { groupStaged, type Group } from '../files/groups.js'
import { writeParts, type Part } from '../files/parts.js'
import type { Source } from './source.js'
import type { StagingTable } from '../lines/staging-table.js'

/** What is known of rows that were written before, of whatever segment. */
export interface EarlierRows {
  /** The folders that have `parquet/` with a date's files. */
  rootsOf: (date: string) => readonly string[]
  /** Keeps every copy of an event. */
  keepDuplicates: boolean
  /** How far copies of an event without a number may be apart, ms. */
  windowMs: number
  onUnreadable: DuplicatesQuestion['onUnreadable']
  madeTimes?: MadeTimes
}

/** Files of a table, and what was left out of them. */
export interface Written {
  parts: Part[]
  duplicates: Duplicates
}

/** Takes out of a staging table what has its row elsewhere, and writes the rest, a file for each kind and currency. */
export async function writeFiles(
  engine: Engine,
  source: Source,
  staging: StagingTable,
  earlier: EarlierRows,
  folder: string,
): Promise<Written> {
  const { table, searchPath } = staging
  await engine.run(`SET search_path = '${searchPath}'`)
  const columns = await staging.columns()
  const all = await groupStaged(engine, table, source.name.channel)
  const duplicates = earlier.keepDuplicates ? NONE : await dropCopies(engine, source, staging, columns, earlier, all)
  const groups = duplicates.rows > 0 ? await groupStaged(engine, table, source.name.channel) : all
  const facts = { segments: JSON.stringify([source.sha256]), double_rows: String(duplicates.rows) }
  const isLast = !staging.areFew
  return { parts: await writeParts(engine, { table, columns, groups, facts, isLast }, folder), duplicates }
}

const NONE: Duplicates = { rows: 0, frames: 0 }

async function dropCopies(
  engine: Engine,
  { name }: Source,
  { table }: StagingTable,
  columns: readonly Column[],
  { rootsOf, ...earlier }: EarlierRows,
  groups: readonly Group[],
): Promise<Duplicates> {
  const identity = identityOf(table)
  if (!identity || groups.length === 0) return NONE
  const partitions = groups.map(({ partition }) => partition)
  const oldest = identity.reach === 'days' ? await oldestMs(engine, name.startedMs) : name.startedMs
  const candidateFiles = findCandidateFiles(rootsOf, name, table, partitions, oldest)
  return dropDuplicates(engine, {
    identity,
    columns,
    origin: originOf(name.host, name.run),
    candidateFiles,
    ...earlier,
  })
}

/** When the first staged row was made, by the exchange's time: one that was asked for may be days old. */
async function oldestMs(engine: Engine, otherwise: number): Promise<number> {
  const [[first] = []] = await engine.rows('SELECT epoch_ms(min(exchange_ts)) FROM staged')
  return first === null || first === undefined ? otherwise : countOf(first)
}

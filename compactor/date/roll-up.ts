import { tmpdir } from 'node:os'
import { linkSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { countOf, sqlText, UNREADABLE } from '../../platform/duckdb.js'
import { fsyncFolder } from '../../platform/durable-file.js'
import { EdgeError, isMachineError, messageOf } from '../../platform/edge-error.js'
import { withEngine, type Engine, type EngineLimits } from '../engine.js'
import type { FolderSwitch } from './folder-switch.js'
import { dailyName, parseParquetName } from '../../formats/parquet-path.js'
import type { ParquetFile } from '../../formats/parquet-tree.js'
import { fileFacts, parquetOptions } from '../files/parquet-options.js'
import { columnsOf } from '../lines/columns.js'
import { sha256Of } from '../../platform/sha256.js'
import { rowGroupRows } from '../files/row-group.js'
import type { Receipt } from '../../formats/receipt.js'
import { SCHEMA_VERSION } from '../tables.js'

/** Files of one partition's day and host, of which one is to be made. */
export interface RollUp {
  /** The partition's folder of the day, below dataDir. */
  folder: string
  table: string
  host: string
  /** Names in the folder, in their order. */
  files: string[]
}

/** The day's file that was made. */
export interface Rolled {
  rollUp: RollUp
  name: string
  rows: number
  bytes: number
  sha256: string
  /** Hourly files whose rows it holds, by now or before. */
  replaces: string[]
}

/**
 * What there is to roll up among a date's files: those that receipts know, where a host has more than one.
 * @param known true for a path below dataDir that a receipt names
 */
export function planRollUps(files: readonly ParquetFile[], known: (path: string) => boolean): RollUp[] {
  const found = new Map<string, RollUp>()
  for (const { path, file, folder, name } of files) {
    if (!known(path)) continue
    const key = `${folder.path} ${name.host}`
    const rollUp = found.get(key) ?? { folder: folder.path, table: folder.table, host: name.host, files: [] }
    rollUp.files.push(file)
    found.set(key, rollUp)
  }
  return [...found.values()].filter(({ files }) => files.length > 1)
}

/**
 * Writes the day's file of a roll-up to `waiting`, which then holds everything that the partition's folder shall hold:
 * links to its other files, too. Rows keep their order; the same rows give the same bytes, in however many steps.
 * @throws EdgeError ROLL_UP_MIXED files of several schema versions; ROLL_UP_DIFFERS rows would be lost or doubled
 */
export async function writeRollUp(engine: Engine, dataDir: string, rollUp: RollUp, waiting: string): Promise<Rolled> {
  const folder = join(dataDir, rollUp.folder)
  const list = `[${rollUp.files.map(file => sqlText(join(folder, file))).join(', ')}]`
  const facts = await readFacts(engine, list)
  if (facts.versions.some(version => version !== String(SCHEMA_VERSION))) {
    throw new EdgeError('ROLL_UP_MIXED', `${rollUp.folder} has files of schema version ${facts.versions.join(', ')}`, {
      path: folder,
      hint: `edgetape compact --once --rebuild --outdated converts them again with version ${SCHEMA_VERSION}`,
    })
  }
  const replaces = [...new Set([...facts.replaces, ...rollUp.files.filter(isHourly)])].sort()
  const name = dailyName(rollUp.host)
  const path = join(waiting, name)
  const metadata = fileFacts(rollUp.table, facts.rows, {
    segments: JSON.stringify(facts.segments),
    double_rows: String(facts.duplicateRows),
    replaces: JSON.stringify(replaces),
  })
  mkdirSync(waiting, { recursive: true })
  const source = `read_parquet(${list}, union_by_name = true, hive_partitioning = false)`
  const groupRows = await rowGroupRows(engine, source, await columnsOf(engine, source), facts.rows)
  // By the place of a row in its file last: levels of one book frame differ in nothing else.
  const [[written] = []] = await engine.rows(`COPY (
      SELECT * EXCLUDE (file_row_number) FROM read_parquet(${list}, union_by_name = true, hive_partitioning = false, file_row_number = true)
      ORDER BY instrument_name, exchange_ts, seq, conn, recv_ts, file_row_number
    ) TO ${sqlText(path)} ${parquetOptions(metadata, groupRows)}`)
  if (countOf(written) !== facts.rows) {
    const message = `${rollUp.folder}: ${countOf(written)} rows instead of ${facts.rows}; the hours stay as they are`
    throw new EdgeError('ROLL_UP_DIFFERS', message, { path: folder })
  }
  return { rollUp, name, rows: facts.rows, bytes: statSync(path).size, sha256: await sha256Of(path), replaces }
}

/** Links what stays of a folder beside what is new for it. */
export function linkOthers(dataDir: string, folder: string, gone: ReadonlySet<string>, waiting: string): void {
  for (const entry of readdirSync(join(dataDir, folder), { withFileTypes: true })) {
    if (entry.isFile() && !gone.has(entry.name)) {
      linkSync(join(dataDir, folder, entry.name), join(waiting, entry.name))
    }
  }
  fsyncFolder(waiting)
}

const isHourly = (file: string) => parseParquetName(file)?.hour !== undefined

/** What files say about themselves, together. */
async function readFacts(engine: Engine, list: string) {
  const pairs = await engine.rows(
    `SELECT decode(key), decode(value) FROM parquet_kv_metadata(${list}) ORDER BY file_name`,
  )
  const values = (wanted: string) => pairs.filter(([key]) => key === wanted).map(([, value]) => String(value))
  const lists = (wanted: string) => values(wanted).flatMap(text => JSON.parse(text) as string[])
  const sum = (wanted: string) => values(wanted).reduce((total, text) => total + Number(text), 0)
  return {
    versions: [...new Set(values('schema_version'))],
    rows: sum('rows'),
    duplicateRows: sum('double_rows'),
    segments: [...new Set(lists('segments'))].sort(),
    replaces: lists('replaces'),
  }
}

/** The receipts of segments whose rows are in the new files, as they are from now on. */
export function receiptsAfter(receipts: Iterable<Receipt>, rolled: readonly Rolled[]): Receipt[] {
  const places = new Map<string, Receipt['outputs'][number]>()
  for (const { rollUp, name, bytes, sha256 } of rolled) {
    const path = `${rollUp.folder}/${name}`
    for (const file of rollUp.files) places.set(`${rollUp.folder}/${file}`, { path, rows: 0, bytes, sha256 })
  }
  return [...receipts].flatMap(receipt => {
    if (!receipt.outputs.some(({ path }) => places.has(path))) return []
    const outputs = receipt.outputs.map(output => {
      const place = places.get(output.path)
      return place ? { ...place, rows: output.rows } : output
    })
    return [{ ...receipt, outputs }]
  })
}

/** What the new files replace. */
export function replacementsOf(rolled: readonly Rolled[]): FolderSwitch['replacements'] {
  return rolled.map(({ rollUp: { folder }, name, replaces }) => ({
    by: [`${folder}/${name}`],
    paths: replaces.map(file => `${folder}/${file}`),
  }))
}

/** Hourly files whose rows are in these files of days; a file that cannot be read names none. */
export async function readReplaced(limits: Pick<EngineLimits, 'memoryMiB' | 'threads'>, paths: readonly string[]) {
  const replaced = new Set<string>()
  if (paths.length === 0) return replaced
  await withEngine({ ...limits, spillFolder: tmpdir() }, async engine => {
    for (const path of paths) {
      try {
        for (const file of (await readFacts(engine, `[${sqlText(path)}]`)).replaces) replaced.add(file)
      } catch (error) {
        if (isMachineError(error) || !UNREADABLE.test(messageOf(error))) throw error
      }
    }
  })
  return replaced
}

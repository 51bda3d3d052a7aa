import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'
import { sqlText } from '../../platform/duckdb.js'
import { EdgeError } from '../../platform/edge-error.js'
import { groupBy } from '../../platform/group-by.js'
import { columnsOfOwnTable } from '../query/relation.js'
import { deltaLog } from './delta-log.js'
import { finishedFiles, listingText, type FinishedFile, type OnFile } from './finished-files.js'

export interface DeltaCatalog {
  files: number
  days: number
  /** Folders of tables that readers are pointed to. */
  tables: string[]
}

/**
 * Writes what readers of Delta tables need to see finished days as one table each, without listing the tree:
 * `<exchange>/<table>/_delta_log/`, and `days.jsonl`, the listing of all files with their sha256.
 * @throws EdgeError CATALOG_NOTHING_FINISHED
 */
export async function writeDeltaCatalog(
  root: string,
  out: string,
  location: string,
  nowMs: number,
  onFile?: OnFile,
): Promise<DeltaCatalog> {
  const listing = join(out, 'days.jsonl')
  const files = await finishedOf(root, nowMs, listing, onFile)
  createFolderDurable(out)
  const tables: string[] = []
  for (const own of groupBy(files, ({ exchange, table }) => `${exchange}/${table}`).values()) {
    const [{ exchange, table } = { exchange: '', table: '' }] = own
    const columns = await columnsOfOwnTable(exchange, table)
    if (columns.length === 0) continue
    const log = join(out, exchange, table, '_delta_log')
    createFolderDurable(log)
    replace(join(log, '00000000000000000000.json'), deltaLog(columns, own, location))
    tables.push(join(out, exchange, table))
  }
  replace(listing, listingText(files))
  return { files: files.length, days: new Set(files.map(({ date }) => date)).size, tables }
}

function replace(path: string, text: string): void {
  if (!existsSync(path) || readFileSync(path, 'utf8') !== text) writeFileDurable(path, text)
}

/**
 * SQL that registers finished days with a DuckLake that is attached as `lake`, without copying them.
 * @throws EdgeError CATALOG_NOTHING_FINISHED
 */
export async function duckLakeSql(root: string, location: string, nowMs: number, onFile?: OnFile): Promise<string> {
  const files = await finishedOf(root, nowMs, undefined, onFile)
  const lines = [
    '-- For a DuckLake that is attached as lake. It takes files that it is given for its own: from a copy, or without its cleanup.',
    "-- INSTALL ducklake; ATTACH 'ducklake:catalog.ducklake' AS lake (DATA_PATH 'own/');",
  ]
  const at = ({ path }: FinishedFile) => sqlText(`${location.replace(/\/$/, '')}/${path}`)
  for (const own of groupBy(files, ({ exchange, table }) => `${exchange}.${table}`).values()) {
    const [{ exchange, table } = { exchange: '', table: '' }] = own
    const columns = await columnsOfOwnTable(exchange, table)
    if (columns.length === 0) continue
    const all = [
      ...columns,
      ...['kind', 'currency', 'date'].map(name => ({ name, type: name === 'date' ? 'DATE' : 'VARCHAR' })),
    ]
    const schema = exchange.replace(/\W/g, '_')
    lines.push(
      `CREATE SCHEMA IF NOT EXISTS lake.${schema};`,
      `CREATE TABLE IF NOT EXISTS lake.${schema}."${table}" (${all.map(({ name, type }) => `"${name}" ${type}`).join(', ')});`,
      // What is registered already is not registered again: its rows would count twice.
      `SET VARIABLE files = (SELECT coalesce(list(path), []) FROM (SELECT unnest([${own.map(at).join(', ')}]) AS path)`,
      `  WHERE path NOT IN (SELECT data_file FROM ducklake_list_files('lake', ${sqlText(table)}, schema => '${schema}')));`,
      `CALL ducklake_add_data_files('lake', ${sqlText(table)}, getvariable('files'), schema => '${schema}', allow_missing => true, ignore_extra_columns => true, hive_partitioning => true);`,
    )
  }
  return lines.join('\n')
}

async function finishedOf(root: string, nowMs: number, listing?: string, onFile?: OnFile): Promise<FinishedFile[]> {
  const files = await finishedFiles(root, nowMs, listing, onFile)
  if (files.length > 0) return files
  throw new EdgeError('CATALOG_NOTHING_FINISHED', `no day below ${resolve(root)} is finished`, {
    path: root,
    hint: 'a day is finished when it is past and rolled up: edgetape compact --once, an hour after its end',
  })
}

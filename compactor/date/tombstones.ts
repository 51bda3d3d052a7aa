import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sqlText } from '../../platform/duckdb.js'
import { columnsOfTable } from '../lines/staging-table.js'
import { convertedFolders, dateFolders } from './date-job.js'
import { withEngine } from '../engine.js'
import { dailyName } from '../../formats/parquet-path.js'
import { parquetFilesIn, type ParquetFile, type ParquetFolder } from '../../formats/parquet-tree.js'
import { fileFacts, parquetOptions } from '../files/parquet-options.js'
import { sha256Of } from '../../platform/sha256.js'
import { appendReceipts, type Receipt } from '../../formats/receipt.js'
import { readReplaced } from './roll-up.js'
import type { JobOptions } from '../segment/job.js'
import { spillFolderOf } from '../temporary.js'
import { framesTable, tableNamed } from '../tables.js'

/**
 * A partition that a rebuild leaves without rows keeps the file of a day without rows, one for each host: wherever the
 * old files were copied to, something has to take their place. A receipt names it as well.
 * @param side where the rebuilt date is
 * @param receipts of the rebuilt date
 */
export async function leaveTombstones(
  options: JobOptions,
  side: string,
  date: string,
  receipts: readonly Receipt[],
): Promise<void> {
  const made = new Set(dateFolders(side, date))
  const outputs: Receipt['outputs'] = []
  for (const folder of convertedFolders(options.dataDir, date)) {
    if (made.has(folder.path)) continue
    const byHost = new Map<string, ParquetFile[]>()
    for (const file of parquetFilesIn(options.dataDir, folder))
      byHost.set(file.name.host, [...(byHost.get(file.name.host) ?? []), file])
    for (const [host, files] of byHost) {
      const path = `${folder.path}/${dailyName(host)}`
      await writeTombstone(options, folder, files, join(side, path))
      outputs.push({ path, rows: 0, bytes: statSync(join(side, path)).size, sha256: await sha256Of(join(side, path)) })
    }
  }
  const [first] = receipts
  if (first && outputs.length > 0) appendReceipts(side, date, [{ ...first, outputs: [...first.outputs, ...outputs] }])
}

async function writeTombstone(
  { dataDir, limits, disk }: JobOptions,
  { exchange, table: name }: ParquetFolder,
  files: readonly ParquetFile[],
  path: string,
): Promise<void> {
  const days = files.filter(({ name }) => name.hour === undefined)
  const hours = files.filter(({ name }) => name.hour !== undefined)
  const replaced = await readReplaced(
    limits,
    days.map(({ path }) => join(dataDir, path)),
  )
  const replaces = [...new Set([...replaced, ...hours.map(({ file }) => file)])].sort()
  const table = tableNamed(exchange, name) ?? framesTable
  await withEngine({ ...limits, spillFolder: spillFolderOf(dataDir) }, async engine => {
    const columns = await columnsOfTable(engine, table)
    const none = columns.map(({ name: column, type }) => `NULL::${type} AS "${column}"`).join(', ')
    const metadata = fileFacts(name, 0, { segments: '[]', double_rows: '0', replaces: JSON.stringify(replaces) })
    mkdirSync(join(path, '..'), { recursive: true })
    await engine.run(`COPY (SELECT ${none} WHERE false) TO ${sqlText(path)} ${parquetOptions(metadata, 1024)}`)
  })
  await disk.fsyncFile(path)
}

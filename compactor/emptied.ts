import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { columnsOfTable } from './stage.js'
import { dateFolders } from './date-job.js'
import { openEngine } from './engine.js'
import { sqlText } from './frame-items.js'
import { dailyName, parseParquetName } from '../formats/parquet-path.js'
import { fileFacts, parquetOptions } from './parts.js'
import { sha256Of } from './publish.js'
import { appendReceipts, type Receipt } from './receipts.js'
import { readReplaced } from './roll-up.js'
import { spillFolderOf, type JobOptions } from './segment-job.js'
import { framesTable, tables } from './tables.js'

/**
 * A partition that a rebuild leaves without rows keeps the file of a day without rows, one for each host: wherever the
 * old files were copied to, something has to take their place. A receipt names it as well.
 * @param side where the rebuilt date is
 * @param receipts of the rebuilt date
 */
export async function leaveEmptied(
  options: JobOptions,
  side: string,
  date: string,
  receipts: readonly Receipt[],
): Promise<void> {
  const made = new Set(dateFolders(side, date))
  const outputs: Receipt['outputs'] = []
  for (const folder of dateFolders(options.dataDir, date)) {
    if (made.has(folder)) continue
    const byHost = new Map<string, string[]>()
    for (const file of readdirSync(join(options.dataDir, folder))) {
      const host = parseParquetName(file)?.host
      if (host !== undefined) byHost.set(host, [...(byHost.get(host) ?? []), file])
    }
    for (const [host, files] of byHost) {
      const path = `${folder}/${dailyName(host)}`
      await writeEmptied(options, folder, files, join(side, path))
      outputs.push({ path, rows: 0, bytes: statSync(join(side, path)).size, sha256: await sha256Of(join(side, path)) })
    }
  }
  const [first] = receipts
  if (first && outputs.length > 0) appendReceipts(side, date, [{ ...first, outputs: [...first.outputs, ...outputs] }])
}

async function writeEmptied(
  { dataDir, limits, disk }: JobOptions,
  folder: string,
  files: readonly string[],
  path: string,
): Promise<void> {
  const days = files.filter(file => parseParquetName(file)?.hour === undefined)
  const replaced = await readReplaced(
    limits,
    days.map(file => join(dataDir, folder, file)),
  )
  const replaces = [...new Set([...replaced, ...files.filter(file => !days.includes(file))])].sort()
  const name = /\/table=([^/]+)\//.exec(folder)?.[1] ?? ''
  const table = tables.find(each => each.name === name) ?? framesTable
  const engine = await openEngine({ ...limits, spillFolder: spillFolderOf(dataDir) })
  try {
    const columns = await columnsOfTable(engine, table)
    const none = columns.map(({ name: column, type }) => `NULL::${type} AS "${column}"`).join(', ')
    const metadata = fileFacts(name, 0, { segments: '[]', double_rows: '0', replaces: JSON.stringify(replaces) })
    mkdirSync(join(path, '..'), { recursive: true })
    await engine.run(`COPY (SELECT ${none} WHERE false) TO ${sqlText(path)} ${parquetOptions(metadata, 1024)}`)
  } finally {
    engine.close()
  }
  await disk.fsyncFile(path)
}

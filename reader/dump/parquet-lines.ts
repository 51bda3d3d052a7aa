import { EdgeError } from '../../platform/edge-error.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { unreadableAmong } from '../../formats/unreadable-parquet.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { parquetFileAt } from '../../formats/parquet-tree.js'
import { jsonRows } from '../query/rows.js'
import type { LineChoice } from './line-filter.js'

/**
 * The rows of Parquet files of one table as JSON lines, streamed: of one file in its order, of several in the order of
 * receive time; times as `2026-11-22 14:00:00.5+00`.
 * @throws EdgeError PARQUET_UNREADABLE; DUMP_FILTER_UNKNOWN the file has no column to choose by
 */
export async function* parquetLines(all: readonly string[], choice: LineChoice): AsyncGenerator<Buffer> {
  const { channels, paths: ofChannel } = ofChannels(all, choice)
  const { paths, names } = ofInstrument(ofChannel, choice)
  if (paths.length === 0) return
  const connection = await openDuckDb()
  try {
    const list = paths.map(sqlText).join(', ')
    const file = `read_parquet([${list}], hive_partitioning = false, union_by_name = true)`
    const described = await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`)
    const columns = new Set(described.getRows().map(([name]) => String(name)))
    const condition = conditionOf(choice, { names, channels }, columns, paths[0] ?? '')
    const order = paths.length > 1 && columns.has('recv_ts') ? 'ORDER BY recv_ts' : ''
    yield* jsonRows(connection, `SELECT * FROM ${file} WHERE ${condition} ${order}`)
  } catch (cause) {
    throw (await unreadableAmong(connection, paths, cause)) ?? cause
  } finally {
    connection.closeSync()
  }
}

/** Files that may have rows of the instrument, and what they call it: where several have one name there, its kind says which. */
function ofInstrument(all: readonly string[], { instrument }: LineChoice): { paths: string[]; names: string[] } {
  if (instrument === undefined) return { paths: [...all], names: [] }
  const names = new Set([instrument])
  const paths = all.filter(path => {
    const folder = folderOf(path)
    const { nameInTables, partitionOfInstrument } = exchangeNamed(folder?.exchange ?? '').names
    if (!nameInTables) return true
    names.add(nameInTables(instrument))
    return folder?.kind === partitionOfInstrument(instrument).kind
  })
  return { paths, names: [...names] }
}

/**
 * Files of the table that has the channel's rows, and what its rows are called: a family may be called otherwise than its
 * channels, and of tables of what was asked for no row names any.
 */
function ofChannels(all: readonly string[], { channel }: LineChoice): { paths: string[]; channels: string[] } {
  if (channel === undefined) return { paths: [...all], channels: [] }
  const channels = new Set([channel])
  const paths = all.filter(path => {
    const folder = folderOf(path)
    const exchange = exchangeNamed(folder?.exchange ?? '')
    const known = exchange.families.find(({ name }) => name === channel)
    if (known?.channelsBegin !== undefined) channels.add(known.channelsBegin)
    const family = known ?? exchange.families.find(({ name }) => name === exchange.names.familyOfChannel(channel))
    return folder === undefined || family === undefined || (family.table ?? 'frames') === folder.table
  })
  return { paths, channels: [...channels] }
}

const folderOf = (path: string) => parquetFileAt(path.slice(Math.max(0, path.lastIndexOf('parquet/exchange='))))?.folder

/** The choice as SQL; a choice by a column that the file lacks would silently show nothing, or everything. */
function conditionOf(
  choice: LineChoice,
  { names, channels }: { names: readonly string[]; channels: readonly string[] },
  columns: Set<string>,
  path: string,
): string {
  const { channel, instrument, conn, fromUs, toUs } = choice
  const wanted: [option: string, column: string, sql: string][] = []
  if (channel !== undefined) {
    const isOne = (name: string) => `channel = ${sqlText(name)} OR starts_with(channel, ${sqlText(`${name}.`)})`
    wanted.push(['--channel', 'channel', `(${channels.map(isOne).join(' OR ')})`])
  }
  if (instrument !== undefined)
    wanted.push(['--instrument', 'instrument_name', `instrument_name IN (${names.map(sqlText).join(', ')})`])
  if (conn !== undefined) wanted.push(['--conn', 'conn', `conn = ${sqlText(conn)}`])
  if (fromUs !== undefined) wanted.push(['--from', 'recv_ts', `recv_ts >= make_timestamptz(${fromUs})`])
  if (toUs !== undefined) wanted.push(['--to', 'recv_ts', `recv_ts < make_timestamptz(${toUs})`])
  for (const [option, column] of wanted) {
    if (!columns.has(column)) {
      throw new EdgeError('DUMP_FILTER_UNKNOWN', `${option} picks by column ${column}, and ${path} has none`, {
        path,
        hint: `its columns: ${[...columns].join(', ')}`,
      })
    }
  }
  return ['true', ...wanted.map(([, , sql]) => sql)].join(' AND ')
}

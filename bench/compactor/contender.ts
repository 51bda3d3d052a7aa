/**
 * `node contender.js <writer> <family> <dataDir> <warmUp>`: converts the segment there and prints rows, time, memory and size. A
 * writer loads its own library only: one would change the memory of the other. Each converts the segment in `warmUp`
 * first: a compactor starts once and runs for months.
 */
import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { compress, DecompressStream } from 'zstd-napi'
import pino from 'pino'
import { duckdb } from '../../platform/duckdb.js'
import { configSchema } from '../../config/schema.js'
import { FAMILIES, type Family } from './families.js'
import { START_MS } from './lines.js'

export interface Measured {
  rows: number
  ms: number
  peakMiB: number
  bytes: number
}

const [, , writer = '', familyName = '', dataDir = '', warmUp = ''] = process.argv
const family = FAMILIES[familyName as Family]

const segmentIn = (folder: string) => filesBelow(join(folder, 'raw')).find(path => path.endsWith('.jsonl.zst')) ?? ''
const outputIn = (folder: string) => join(folder, `${writer}.parquet`)

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
}

type Row = Record<string, unknown>

/** One row after the other, as plain objects: what a writer without a query engine is fed. */
async function* rowsOneByOne(segment: string): AsyncGenerator<Row> {
  const names = Object.keys(family.columns)
  for await (const text of createInterface({ input: createReadStream(segment).pipe(new DecompressStream()) })) {
    const line = JSON.parse(text) as {
      recv_us: number
      conn: string
      seq: number
      frame: { params: { channel: string; data: never } }
    }
    const { channel, data } = line.frame.params
    for (const item of family.rows(data)) {
      const row: Row = {
        recv_ts: new Date(line.recv_us / 1000),
        exchange_ts: new Date(Number(item['timestamp'])),
        instrument_name: item['instrument_name'],
        conn: line.conn,
        seq: line.seq,
        channel,
      }
      for (const name of names) row[name] = item[name]
      yield row
    }
  }
}

const HEAD = { recv_ts: 'TIMESTAMP', exchange_ts: 'TIMESTAMP', instrument_name: 'VARCHAR', conn: 'VARCHAR' } as const
const columns = (): [string, 'DOUBLE' | 'BIGINT' | 'VARCHAR' | 'TIMESTAMP'][] =>
  Object.entries({ ...HEAD, seq: 'BIGINT', channel: 'VARCHAR', ...family.columns })

async function writeByEdgetape(dataDir: string): Promise<number> {
  const { runCompactor } = await import('../../compactor/main.js')
  const config = configSchema.parse({ dataDir, host: 'bench', exchange: { name: 'deribit' } })
  // On the day of its lines, which is not to be rolled up yet.
  const nowMs = () => START_MS
  const { rows, failed } = await runCompactor({ config, log: pino({ level: 'silent' }), once: true, nowMs })
  if (failed > 0) throw new Error('not converted')
  return Object.values(rows).reduce((sum, count) => sum + count, 0)
}

/** Nothing but DuckDB's own reader and writer; it stops at a bad line and loses unknown members. */
async function writeByDuckDb(dataDir: string, order = ''): Promise<number> {
  const spill = join(dataDir, 'spill')
  mkdirSync(spill, { recursive: true })
  const options = { memory_limit: '256MiB', threads: '1', temp_directory: spill }
  const connection = await (await duckdb().DuckDBInstance.create(':memory:', options)).connect()
  const isList = family.type.endsWith('[]')
  const frame = `STRUCT(params STRUCT(channel VARCHAR, data ${family.type}))`
  const item = isList ? '' : `, d.instrument_name AS instrument, d.timestamp AS at_ms`
  const result = await connection.runAndReadAll(`COPY (
      SELECT make_timestamptz(recv_us) AS recv_ts, make_timestamptz((at_ms * 1000)::BIGINT) AS exchange_ts,
        instrument AS instrument_name, conn, seq, channel, ${Object.keys(family.columns)
          .map(name => `"${name}"`)
          .join(', ')}
      FROM (WITH lines AS (
          SELECT recv_us, conn, seq, frame.params.channel AS channel, frame.params.data AS d${item.replaceAll('d.', 'frame.params.data.')}
          FROM read_ndjson('${segmentIn(dataDir)}', columns = {recv_us: 'BIGINT', conn: 'VARCHAR', seq: 'BIGINT', frame: '${frame}'}, compression = 'zstd')
        ) ${family.select}) ${order}
    ) TO '${outputIn(dataDir)}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)`)
  return Number(result.getRows()[0]?.[0])
}

async function writeByParquetjs(dataDir: string): Promise<number> {
  const { ParquetSchema, ParquetWriter } = (await import('parquetjs-lite')).default
  const types = { DOUBLE: 'DOUBLE', BIGINT: 'INT64', VARCHAR: 'UTF8', TIMESTAMP: 'TIMESTAMP_MILLIS' }
  const fields = columns().map(
    ([name, type]) => [name, { type: types[type], compression: 'SNAPPY', optional: true }] as const,
  )
  const file = await ParquetWriter.openFile(new ParquetSchema(Object.fromEntries(fields)), outputIn(dataDir))
  file.setRowGroupSize(100_000)
  let rows = 0
  for await (const row of rowsOneByOne(segmentIn(dataDir))) {
    await file.appendRow(row)
    rows++
  }
  await file.close()
  return rows
}

async function writeByHyparquet(dataDir: string): Promise<number> {
  const { fileWriter, parquetWriteRows } = await import('hyparquet-writer')
  const types = { DOUBLE: 'DOUBLE', BIGINT: 'INT64', VARCHAR: 'STRING', TIMESTAMP: 'TIMESTAMP' } as const
  let rows = 0
  async function* counted() {
    for await (const row of rowsOneByOne(segmentIn(dataDir))) {
      for (const [name, type] of columns()) {
        if (type === 'BIGINT') row[name] = BigInt(Number(row[name]))
      }
      rows++
      yield row
    }
  }
  await parquetWriteRows({
    writer: fileWriter(outputIn(dataDir)),
    rows: counted(),
    columns: columns().map(([name, type]) => ({ name, type: types[type], nullable: true })),
    codec: 'ZSTD',
    compressors: { ZSTD: bytes => compress(bytes) },
    rowGroupSize: 100_000,
  })
  return rows
}

const writers: Record<string, (dataDir: string) => Promise<number>> = {
  edgetape: writeByEdgetape,
  duckdb: dataDir => writeByDuckDb(dataDir),
  'duckdb, sorted': dataDir => writeByDuckDb(dataDir, 'ORDER BY instrument_name, exchange_ts, seq'),
  'hyparquet-writer': writeByHyparquet,
  'parquetjs-lite': writeByParquetjs,
}

const write = writers[writer]
if (!write) throw new RangeError(`no writer ${writer}`)
// Of an earlier round.
for (const folder of [dataDir, warmUp])
  for (const made of ['parquet', 'state']) rmSync(join(folder, made), { recursive: true, force: true })
await write(warmUp)
const startedMs = performance.now()
const rows = await write(dataDir)
const ms = performance.now() - startedMs
const made = writer === 'edgetape' ? filesBelow(join(dataDir, 'parquet')) : [outputIn(dataDir)]
const measured: Measured = {
  rows,
  ms,
  peakMiB: Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024,
  bytes: made.reduce((sum, path) => sum + statSync(path).size, 0),
}
process.stdout.write(JSON.stringify(measured))

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { duckdb } from '../../platform/duckdb.js'
import { framesTable, tableOf } from '../../compactor/tables.js'
import { packageRoot } from '../../platform/package-info.js'
import { familyOfChannel } from '../../exchanges/deribit/names.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { capturedFiles, capturedFolder, capturedFrames, capturedSession } from '../fixtures/captured-frames.js'
import { framesTaken, recordedLines, startRecorder, until, type RecorderProcess } from '../fixtures/recorder-process.js'
import { sealLeft } from '../fixtures/segments.js'

// They mostly wait.
t.jobs = 3

const SESSION = 'cryptofeed-2021-07-22.jsonl'

interface BookFrame {
  channel: string
  data: {
    type: string
    timestamp: number
    instrument_name: string
    change_id: number
    prev_change_id?: number
    bids: [string, number, number][]
    asks: [string, number, number][]
  }
}

type TickerData = Record<string, unknown> & {
  timestamp: number
  instrument_name: string
  greeks: Record<string, number>
  stats: Record<string, number | null>
}

const options = {
  channels: { option: ['trades', 'book', 'ticker'], perpetual: [], future: [], spot: [], combo: [], index: [] },
}
const login = { DERIBIT_CLIENT_ID: 'me', DERIBIT_CLIENT_SECRET: 'secret' }

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const connection = await (await duckdb().DuckDBInstance.create(':memory:')).connect()
  await connection.run("SET TimeZone = 'UTC'")
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson()
  connection.closeSync()
  return rows
}

/** Records a file of frames through a real socket, and compacts. Returns the folder of the Parquet. */
async function recordAndCompact(
  t: Test,
  folder: string,
  recorded: string,
  received: (recorder: RecorderProcess) => boolean,
) {
  const exchange = await startSimulator({ recorded, speed: 0 })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(
    t,
    folder,
    { url: exchange.url, currencies: ['any'], interval: 'raw', ...options },
    undefined,
    login,
  )
  await until('the session arrives', () => received(recorder))
  recorder.process.kill()
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0, stderr)
  sealLeft(recorder.dataDir)
  const compact = [
    process.execPath,
    join(packageRoot, 'dist/cli/main.js'),
    'compact',
    '--once',
    '--config',
    recorder.configFile,
  ]
  await execa({ stdin: 'ignore' })`${compact}`
  return recorder.dataDir
}

t.test('a captured session of ten options, over a real socket, to Parquet', async t => {
  const session = capturedSession(t, SESSION)
  if (!session) return
  const inbound = session.filter(({ dir }) => dir === 'in').map(({ raw }) => raw)
  const dataDir = await recordAndCompact(
    t,
    t.testdir({}),
    join(capturedFolder, 'sessions', SESSION),
    recorder => framesTaken(recorder, 'book') + framesTaken(recorder, 'ticker') >= inbound.length - 1,
  )

  const lines = recordedLines(dataDir)
    .filter(({ conn }) => conn === 'd1')
    .sort((one, other) => one.seq - other.seq)
  const first = lines.findIndex(({ frame }) => frame.toString('utf8') === inbound[0])
  t.same(
    lines.slice(first, first + inbound.length).map(({ frame }) => frame.toString('utf8')),
    inbound,
    'every inbound frame, byte for byte, in order',
  )

  const notifications = inbound
    .map(raw => (JSON.parse(raw) as { params?: BookFrame }).params)
    .filter(params => params !== undefined)
  const books = notifications.filter(({ channel }) => channel.startsWith('book.'))
  const expectedBook = books.flatMap(({ data }) =>
    levelsOf(data).map(([side, action, price, amount]) => ({
      ms: String(data.timestamp),
      instrument_name: data.instrument_name,
      change_id: String(data.change_id),
      prev_change_id: data.prev_change_id === undefined ? null : String(data.prev_change_id),
      type: data.type,
      side,
      action,
      price,
      amount,
    })),
  )
  const bookRows =
    await query(`SELECT epoch_ms(exchange_ts)::VARCHAR AS ms, instrument_name, change_id, prev_change_id, type, side, action, price, amount
    FROM '${dataDir}/parquet/exchange=deribit/table=book/**/*.parquet'`)
  t.same(sorted(bookRows), sorted(expectedBook), `${expectedBook.length} book rows`)

  const tickers = notifications
    .filter(({ channel }) => channel.startsWith('ticker.'))
    .map(({ data }) => data as unknown as TickerData)
  const columns = Object.keys(tickers[0] ?? {}).filter(key => !['timestamp', 'greeks', 'stats'].includes(key))
  const expectedTicker = tickers.map(data => ({
    ms: String(data.timestamp),
    ...Object.fromEntries(columns.map(column => [column, data[column] ?? null])),
    ...flattened('greeks', data.greeks),
    ...flattened('stats', data.stats),
  }))
  const names = Object.keys(expectedTicker[0] ?? {}).filter(name => name !== 'ms')
  const tickerRows = await query(`SELECT epoch_ms(exchange_ts)::VARCHAR AS ms, ${names.join(', ')}
    FROM '${dataDir}/parquet/exchange=deribit/table=ticker/**/*.parquet'`)
  t.same(sorted(tickerRows), sorted(expectedTicker), `${expectedTicker.length} ticker rows`)
  t.equal(books.length + tickers.length, inbound.length - 1)
})

t.test('ids above 2^53 keep every digit from the wire to Parquet', async t => {
  const result = capturedFrames(t, 'rest_result_get_last_trades.jsonl')?.[0]
  if (result === undefined) return
  // The trades as text: a parser of doubles would have lost the digits before the test begins.
  const trades = /"trades":(\[.*\])/.exec(result)?.[1] ?? ''
  const ids = [...trades.matchAll(/"starbase_match_id":(\d+)/g)].map(match => match[1])
  const stamps = [...trades.matchAll(/"starbase_timestamp":(\d+)/g)].map(match => match[1])
  t.ok(
    ids.some(id => String(Number(id)) !== id),
    'some id does not fit a double',
  )
  const instrument = /"instrument_name":"([^"]+)"/.exec(trades)?.[1] ?? ''
  const frame = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.option.BTC.raw","data":${trades}}}`
  const quiet = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.${instrument}.raw","data":{"type":"snapshot","timestamp":1789939017544,"instrument_name":"${instrument}","change_id":1,"bids":[],"asks":[]}}}`
  const folder = t.testdir({ 'frames.jsonl': `${quiet}\n${frame}\n` })
  const dataDir = await recordAndCompact(
    t,
    folder,
    join(folder, 'frames.jsonl'),
    recorder => framesTaken(recorder, 'trades') === 1,
  )
  const rows = await query(`SELECT starbase_match_id::VARCHAR AS id, starbase_timestamp::VARCHAR AS stamp
    FROM '${dataDir}/parquet/exchange=deribit/table=trades/**/*.parquet'`)
  t.same(rows.map(row => row['id']).sort(), [...ids].sort())
  t.same(rows.map(row => row['stamp']).sort(), [...stamps].sort())
})

t.test('every captured frame arrives in a table', async t => {
  const files = capturedFiles(t)
  if (files === undefined) return
  const frames = files.flatMap(name => capturedFrames(t, name) ?? [])
  const folder = t.testdir({ 'frames.jsonl': frames.map(frame => `${frame}\n`).join('') })
  const last = frames.at(-1) ?? ''
  const lastFamily = familyOfChannel((JSON.parse(last) as { params: { channel: string } }).params.channel)
  const ofLastFamily = frames.filter(frame => familyOf(frame) === lastFamily).length
  const dataDir = await recordAndCompact(
    t,
    folder,
    join(folder, 'frames.jsonl'),
    recorder => framesTaken(recorder, lastFamily) >= ofLastFamily,
  )

  const kept = new Map<string, number>()
  for (const { conn, frame } of recordedLines(dataDir))
    if (conn === 'd1') kept.set(frame.toString('utf8'), (kept.get(frame.toString('utf8')) ?? 0) + 1)
  t.same(
    frames.filter(frame => !kept.has(frame)),
    [],
    `all ${frames.length} frames are in the segments`,
  )

  const receipts = readdirSync(join(dataDir, 'state/compactor'))
    .filter(name => name.startsWith('done-'))
    .flatMap(name =>
      readFileSync(join(dataDir, 'state/compactor', name), 'utf8')
        .trim()
        .split('\n'),
    )
    .map(line => JSON.parse(line) as { frames: number; written: number; quarantined: number; known: number })
  const sum = (key: keyof (typeof receipts)[number]) => receipts.reduce((total, receipt) => total + receipt[key], 0)
  t.equal(sum('frames'), recordedLines(dataDir).length)
  t.equal(sum('written'), sum('frames'), 'each frame has a row')
  t.equal(sum('quarantined'), 0)

  const tableOfFrame = (frame: string) => tableOf({ exchange: 'deribit', channel: familyOf(frame) }).name
  const others = frames.filter(frame => tableOfFrame(frame) === framesTable.name)
  const written = new Set(frames.map(tableOfFrame).filter(table => table !== framesTable.name))
  t.ok(written.size >= 10, `${written.size} tables`)
  for (const table of written) {
    const [row] = await query(
      `SELECT count(DISTINCT (conn, seq))::INT AS frames FROM '${dataDir}/parquet/exchange=deribit/table=${table}/**/*.parquet'
       WHERE conn = 'd1'`,
    )
    t.equal(row?.['frames'], frames.filter(frame => tableOfFrame(frame) === table).length, table)
  }
  const rows = await query(`SELECT frame FROM '${dataDir}/parquet/exchange=deribit/table=frames/**/*.parquet'`)
  const inFrames = new Set(rows.map(row => row['frame']))
  t.ok(others.length > 0)
  t.same(
    others.filter(frame => !inFrames.has(frame)),
    [],
    'all others are in frames, as they came',
  )
})

/** The family of a captured frame; `rpc` for all but notifications. */
function familyOf(frame: string): string {
  const { params } = JSON.parse(frame) as { params?: { channel?: string } }
  return params?.channel === undefined ? 'rpc' : familyOfChannel(params.channel)
}

function levelsOf({ bids, asks }: BookFrame['data']): [string | null, string | null, number | null, number | null][] {
  if (bids.length + asks.length === 0) return [[null, null, null, null]]
  return [
    ...bids.map(level => ['bid', ...level] as [string, string, number, number]),
    ...asks.map(level => ['ask', ...level] as [string, string, number, number]),
  ]
}

const flattened = (prefix: string, values: Record<string, number | null>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${prefix}_${key}`, value]))

/** Rows as comparable text: the order of equal rows is nobody's promise. */
const sorted = (rows: Record<string, unknown>[]) =>
  rows.map(row => JSON.stringify(Object.entries(row).sort(([one], [other]) => (one < other ? -1 : 1)))).sort()

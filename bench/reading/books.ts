import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { sampleBook } from '../../reader/book/sample-book.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { machine, spread } from '../machine.js'

const FRAMES = 200_000
const LEVELS_OF_FRAME = 10
const ROUNDS = 3
const SAMPLES = 20
const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const INSTRUMENT = 'BTC-PERPETUAL'

/** Level changes a second of a core when books are put together from Parquet, against plain SQL. Takes about a minute. */
export async function benchBooks(): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-book-'))
  const connection = await openDuckDb()
  try {
    const folder = join(dataDir, 'parquet/exchange=deribit/table=book/kind=perpetual/currency=BTC/date=2026-11-22')
    mkdirSync(folder, { recursive: true })
    const file = join(folder, '14-bench-r1-1.parquet')
    await connection.run(`COPY (${MADE_ROWS}) TO ${sqlText(file)} (FORMAT parquet, COMPRESSION zstd)`)
    const rows = FRAMES * LEVELS_OF_FRAME
    const span = { from: START_US, to: START_US + FRAMES * 1000, everyMs: FRAMES / SAMPLES }
    const built = await rates(rows, async () => {
      let known = 0
      for await (const samples of sampleBook({ path: dataDir, instrument: INSTRUMENT, top: 10, ...span }))
        known += samples.filter(({ state }) => state !== 'unknown').length
      if (known !== SAMPLES) throw new Error(`${known} of ${SAMPLES} samples are known`)
    })
    const plain = await rates(rows, async () => {
      await connection.runAndReadAll(plainSql(file))
    })
    const table = plainTable([`${rows.toLocaleString('en')} level changes`, 'changes/s of a core', 'goal'])
    table.push(['books put together, sampled', spread(built, 0).text, '>= 1,000,000'])
    table.push([`plain SQL, the same ${SAMPLES} samples`, spread(plain, 0).text, ''])
    process.stdout.write(`books, on ${machine()}\n${table.toString()}\n`)
  } finally {
    connection.closeSync()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function rates(rows: number, work: () => Promise<void>): Promise<number[]> {
  const found: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    await work()
    const { user, system } = process.cpuUsage(before)
    found.push(rows / ((user + system) / 1e6))
  }
  return found
}

/** A snapshot, then changes one ms apart; levels come and go within 500 ticks of the best. */
const MADE_ROWS = `
  SELECT make_timestamptz(${START_US} + frame * 1000) AS recv_ts, make_timestamptz(${START_US} + frame * 1000) AS exchange_ts,
    '${INSTRUMENT}' AS instrument_name, 'd1' AS conn, frame + 1 AS seq, 'live' AS source, frame + 1 AS change_id,
    CASE WHEN frame > 0 THEN frame END AS prev_change_id, CASE WHEN frame = 0 THEN 'snapshot' ELSE 'change' END AS "type",
    CASE WHEN level % 2 = 0 THEN 'bid' ELSE 'ask' END AS side,
    CASE WHEN h % 3 = 0 THEN 'delete' ELSE 'change' END AS action,
    80000 + CASE WHEN level % 2 = 0 THEN -1 ELSE 1 END * (1 + (sqrt(h % 250000)::BIGINT)) / 2 AS price,
    CASE WHEN h % 3 = 0 THEN 0 ELSE 10 * (1 + h % 1000) END::DOUBLE AS amount, 'book.${INSTRUMENT}.100ms' AS channel
  FROM (SELECT frame, level, (hash(frame, level) >> 16)::BIGINT AS h
    FROM range(${FRAMES}) f(frame), range(${LEVELS_OF_FRAME}) l(level)) ORDER BY frame, level`

/** The last amount of each price up to each moment, then the ten best of those that are there. */
function plainSql(file: string): string {
  const everyUs = (FRAMES / SAMPLES) * 1000
  return `WITH last AS (
      SELECT moment, side, price, arg_max(amount, seq) AS amount
      FROM range(${SAMPLES}) m(moment) JOIN read_parquet(${sqlText(file)}) ON
        epoch_us(recv_ts) <= ${START_US} + moment * ${everyUs}
      GROUP BY ALL)
    SELECT * FROM last WHERE amount > 0
    QUALIFY row_number() OVER (PARTITION BY moment, side ORDER BY CASE WHEN side = 'bid' THEN -price ELSE price END) <= 10`
}

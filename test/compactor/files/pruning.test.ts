import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openEngine } from '../../../compactor/engine.js'
import { fileFacts, parquetOptions } from '../../../compactor/files/parquet-options.js'
import { writeRollUp } from '../../../compactor/date/roll-up.js'
import { withQueries } from '../fixtures/compacted.js'

const INSTRUMENTS = 60
const ROWS_AN_HOUR = 40_000
const HOURS = 24
const FOLDER = 'parquet/exchange=deribit/table=quote/kind=option/currency=BTC/date=2026-11-22'

/** Quotes of an hour: the first instruments have most of them, as near strikes do. */
const quotesOf = (hour: number) => `
  SELECT make_timestamptz(at_us + 150000) AS recv_ts, make_timestamptz(at_us) AS exchange_ts,
    'BTC-27NOV26-' || (60000 + 1000 * floor(${INSTRUMENTS} * pow(random(), 1.5))::INTEGER) || '-C' AS instrument_name,
    'd1' AS conn, n AS seq, 'live' AS source,
    round(0.05 + random() / 100, 4) AS best_bid_price, round(random() * 100, 1) AS best_bid_amount,
    round(0.06 + random() / 100, 4) AS best_ask_price, round(random() * 100, 1) AS best_ask_amount,
    NULL::VARCHAR AS channel, NULL::VARCHAR AS extra
  FROM (SELECT n, ${Date.parse('2026-11-22T00:00:00Z')} * 1000 + (${hour} * 3600000000 + n * ${3_600_000_000 / ROWS_AN_HOUR})::BIGINT AS at_us
    FROM range(${ROWS_AN_HOUR}) r(n))
  ORDER BY instrument_name, exchange_ts, seq`

t.test('an hour of one instrument is less than 5 % of the bytes of a day', async t => {
  const dataDir = t.testdir()
  const folder = join(dataDir, FOLDER)
  mkdirSync(folder, { recursive: true })
  const engine = await openEngine({ memoryMiB: 512, threads: 1, spillFolder: dataDir })
  const files = Array.from({ length: HOURS }, (_, hour) => `${String(hour).padStart(2, '0')}-vps-1-r1-1.parquet`)
  await engine.run('SELECT setseed(0.5)')
  for (const [hour, file] of files.entries()) {
    const facts = fileFacts('quote', ROWS_AN_HOUR, { segments: '[]', double_rows: '0' })
    await engine.run(`COPY (${quotesOf(hour)}) TO '${join(folder, file)}' ${parquetOptions(facts, 20_480)}`)
  }
  const rolled = await writeRollUp(
    engine,
    dataDir,
    { folder: FOLDER, table: 'quote', host: 'vps-1', files },
    join(dataDir, 'w'),
  )
  engine.close()
  t.equal(rolled.rows, HOURS * ROWS_AN_HOUR)
  const day = join(dataDir, 'w', rolled.name)
  await withQueries(async query => {
    await query('SET enable_external_file_cache = false')
    for (const instrument of ['BTC-27NOV26-60000-C', 'BTC-27NOV26-90000-C']) {
      const wanted = `instrument_name = '${instrument}' AND exchange_ts >= '2026-11-22 14:00:00Z' AND exchange_ts < '2026-11-22 15:00:00Z'`
      const [groups = {}] = await query(`WITH groups AS (
          SELECT row_group_id, any_value(row_group_compressed_bytes) AS group_bytes, sum(total_compressed_size) AS bytes,
            any_value(stats_min_value) FILTER (path_in_schema = 'instrument_name') AS first_name,
            any_value(stats_max_value) FILTER (path_in_schema = 'instrument_name') AS last_name,
            any_value(stats_min_value) FILTER (path_in_schema = 'exchange_ts')::TIMESTAMPTZ AS first_ts,
            any_value(stats_max_value) FILTER (path_in_schema = 'exchange_ts')::TIMESTAMPTZ AS last_ts
          FROM parquet_metadata('${day}') GROUP BY row_group_id
        ) SELECT count(*)::INTEGER AS all_groups, sum(bytes)::BIGINT AS all_bytes,
            sum(bytes) FILTER ('${instrument}' BETWEEN first_name AND last_name
              AND last_ts >= '2026-11-22 14:00:00Z' AND first_ts < '2026-11-22 15:00:00Z')::BIGINT AS read_bytes
          FROM groups`)
      const share = Number(groups['read_bytes']) / Number(groups['all_bytes'])
      t.ok(
        share > 0 && share < 0.05,
        `${instrument}: ${(share * 100).toFixed(1)} % of ${String(groups['all_groups'])} groups`,
      )
      const [profile = {}] = await query(`EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM '${day}' WHERE ${wanted}`)
      const read = Number(/"total_bytes_read": (\d+)/.exec(String(profile['explain_value']))?.[1])
      const size = statSync(day).size
      t.ok(read > 0 && read < 0.05 * size, `${instrument}: DuckDB read ${read} of ${size} bytes`)
    }
  })
})

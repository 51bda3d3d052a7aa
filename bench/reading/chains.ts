import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { openInstance, sqlText } from '../../platform/duckdb.js'
import { machine } from '../machine.js'
import { usageOf } from '../years/measure.js'

const OPTIONS = 1000
const TICKERS_A_MINUTE = 6
const HOURS_OF_FILE = 4
const DAY = '2026-11-22'

/** A day of options through the commands as they are: the chain on a grid of minutes, what is made of it, exports. Takes about two minutes. */
export async function benchChains(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'edgetape-bench-chains-'))
  const root = join(scratch, 'data')
  try {
    await makeDay(root)
    const minutes = `INTERVAL 1 MINUTE, '${DAY} 00:01', '${DAY} 23:59'`
    const query = (sql: string, name: string) => ['query', '--path', root, '--out', join(scratch, name), sql]
    const day = [
      '--path',
      root,
      '--from',
      DAY,
      '--to',
      `${DAY}T24:00`,
      '--gaps',
      'restart',
      '--out',
      join(scratch, 'out'),
    ]
    const asked: [name: string, args: string[], goal: string][] = [
      [
        'option_chain_at, 1 minute, as Parquet',
        query(`FROM option_chain_at(${minutes})`, 'chain.parquet'),
        '< 30 s, < 1,024 MiB',
      ],
      ['atm_volatility, 1 minute', query(`FROM atm_volatility(${minutes})`, 'atm.parquet'), ''],
      [
        'gamma_exposure, 1 hour',
        query(`FROM gamma_exposure(INTERVAL 1 HOUR, '${DAY} 01:00', '${DAY} 23:00')`, 'gex.parquet'),
        '',
      ],
      ['export, all tickers as Parquet', ['export', '--format', 'parquet', '--view', 'ticker', ...day], ''],
      [
        'export, all tickers as options_chain',
        ['export', '--format', 'tardis-csv', '--type', 'options_chain', ...day],
        '',
      ],
    ]
    const tickers = (OPTIONS * TICKERS_A_MINUTE * 1440).toLocaleString('en')
    const head = [`a day of ${OPTIONS} options, ${tickers} tickers`, 'CPU, s', 'memory at most, MiB', 'goal']
    const table = plainTable(head)
    for (const [name, args, goal] of asked) {
      const { cpuS, peakMiB } = await usageOf(args, scratch)
      table.push([name, cpuS.toFixed(1), peakMiB.toFixed(0), goal])
    }
    process.stdout.write(`chains, one thread of DuckDB, on ${machine()}\n${table.toString()}\n`)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Tickers of one expiry in each of ten, at times by chance. */
async function makeDay(root: string): Promise<void> {
  const { instance, connection } = await openInstance({ memory: '400MB', threads: 1, spillFolder: join(root, 'spill') })
  const folder = join(root, `parquet/exchange=deribit/table=ticker/kind=option/currency=BTC/date=${DAY}`)
  mkdirSync(folder, { recursive: true })
  const slots = TICKERS_A_MINUTE * 60 * HOURS_OF_FILE
  const slotUs = 60_000_000 / TICKERS_A_MINUTE
  for (let file = 0; file * HOURS_OF_FILE < 24; file++) {
    const sql = `SELECT make_timestamptz(at_us + 20000) AS recv_ts, make_timestamptz(at_us) AS exchange_ts,
        (1 + n % 10) || 'DEC26' AS day, 'BTC-' || day || '-' || (60000 + n // 20 * 1000) || (CASE WHEN n // 10 % 2 = 0 THEN '-C' ELSE '-P' END)
          AS instrument_name, 'd1' AS conn, slot * ${OPTIONS} + n AS seq, 'live' AS source, 'open' AS state,
        0.01 * x AS last_price, 0.011 * x AS mark_price, 84000 + x AS index_price, 100 * x AS open_interest,
        0.01 * x AS best_bid_price, 12.5 AS best_bid_amount, 0.012 * x AS best_ask_price, 7.5 AS best_ask_amount,
        84050 + x AS underlying_price, 'SYN.BTC' AS underlying_index, round(40 + 3 * x, 2) AS mark_iv, 39.5 AS bid_iv, 44.5 AS ask_iv,
        round(x, 5) AS greeks_delta, 0.00002 AS greeks_gamma, round(40 * x, 5) AS greeks_vega, -round(30 * x, 5) AS greeks_theta,
        round(10 * x, 5) AS greeks_rho, 5.0 AS stats_volume, 1000.5 AS stats_volume_usd
      FROM (SELECT n, slot, hash(n * 7919 + slot) % 10000 / 10000 AS x,
          epoch_us(TIMESTAMPTZ '${DAY} 00:00:00+00') + (slot + ${file * slots}) * ${slotUs}
            + (hash(n + slot * 7919) % ${slotUs / 1000})::BIGINT * 1000 AS at_us
        FROM range(${OPTIONS}) AS options (n), range(${slots}) AS times (slot))
      ORDER BY instrument_name, exchange_ts`
    const name = `${String(file * HOURS_OF_FILE).padStart(2, '0')}-bench-r1-1.parquet`
    await connection.run(
      `COPY (SELECT * EXCLUDE (day) FROM (${sql})) TO ${sqlText(join(folder, name))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)`,
    )
  }
  connection.closeSync()
  instance.closeSync()
}

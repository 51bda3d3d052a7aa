import t, { type Test } from 'tap'
import { duckdb } from '../../../platform/duckdb.js'
import { catalogSql } from '../../../reader/query/catalog-sql.js'
import { readyViews, type ReadyView } from '../../../reader/query/ready-views.js'
import { tableOf } from '../../../cli/query/answer-table.js'
import { documentedBlocks, keepPrinted, pageText } from '../../fixtures/documented-queries.js'
import { makeMarket, MARKET_START_MS, recordMarket, type Trade } from '../../fixtures/small-market.js'
import { jsonAsked, openSession, type Row } from '../../fixtures/open-session.js'

const HOUR_MS = 3_600_000
const VIEW_PAGES = ['query.md', 'option-views.md']
const market = makeMarket()

const timeOf = (ms: number) => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)
/** Strictly before: what shares a millisecond with a trade came of it. */
const lastBefore = <Item extends { atMs: number }>(items: readonly Item[], atMs: number) =>
  items.filter(item => item.atMs < atMs).at(-1)
function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Numbers are equal to 12 digits: sums depend on their order. */
function alike(t: Test, found: readonly Row[], wanted: readonly Row[], what: string): void {
  const rounded = (rows: readonly Row[]) =>
    rows.map(row =>
      Object.fromEntries(
        Object.entries(row).map(([key, value]) => [
          key,
          typeof value === 'number' ? Number(value.toPrecision(12)) : value,
        ]),
      ),
    )
  t.ok(wanted.length > 0, `${what}: something is wanted`)
  t.same(rounded(found), rounded(wanted), what)
}

t.test('the catalog loaded in one version of DuckDB only: defaults of macros were no constants', t => {
  const defaults = readyViews().flatMap(({ sql }) => [
    ...sql.replace(/ AS TABLE[^]*/, '').matchAll(/:= *('[^']*'|[^,)\n]+)/g),
  ])
  t.ok(defaults.length > 5)
  t.same(
    defaults.map(([, value = '']) => value).filter(value => !/^(?:'[^']*'|[0-9.]+)$/.test(value)),
    [],
  )
  t.end()
})

/** Of what happened in a span, and nothing that holds until something else comes. */
const OF_EVENTS = ['basis', 'funding_paid', 'realised_volatility', 'trade_candles']

t.test('a view that tells a state says how old it is, and whether it is known', t => {
  const columnsOf = ({ columns }: ReadyView) => columns.flatMap(({ names }) => names.split(/, */))
  for (const view of readyViews()) {
    const isOfEvents = OF_EVENTS.includes(view.name)
    for (const column of ['age', 'covered'])
      t.not(columnsOf(view).includes(column), isOfEvents, `${view.name}: ${column}`)
    if (isOfEvents) t.notMatch(view.sql, /lookback|\bASOF\b|_at\(/, `${view.name} takes nothing along`)
  }
  t.end()
})

t.test('ready views answer what their page says', { timeout: 120_000 }, async t => {
  const dataDir = t.testdir()
  await recordMarket(dataDir, market)
  const session = await openSession(t, dataDir)
  /** Rows with times as ms since the epoch. */
  const ask = (sql: string) => jsonAsked(session, `SELECT COLUMNS(*) FROM (${sql})`)

  await t.test('trade_candles', async t => {
    const found =
      await ask(`SELECT instrument_name, epoch_ms(candle_ts) AS at, open, high, low, close, volume, buy_volume, vwap, trades
      FROM trade_candles(INTERVAL 7 MINUTE)`)
    // Widths count from a Monday.
    const start = Date.parse('2000-01-03T00:00:00Z')
    const bucket = ({ atMs }: Trade) => start + Math.floor((atMs - start) / 420_000) * 420_000
    const groups = groupBy(market.trades, trade => `${trade.instrument} ${bucket(trade)}`)
    const wanted = [...groups.values()].map(trades => ({
      instrument_name: trades[0]?.instrument,
      at: trades[0] && bucket(trades[0]),
      open: trades[0]?.price,
      high: Math.max(...trades.map(({ price }) => price)),
      low: Math.min(...trades.map(({ price }) => price)),
      close: trades.at(-1)?.price,
      volume: sum(trades.map(({ amount }) => amount)),
      buy_volume: sum(trades.filter(({ direction }) => direction === 'buy').map(({ amount }) => amount)),
      vwap: sum(trades.map(({ price, amount }) => price * amount)) / sum(trades.map(({ amount }) => amount)),
      trades: trades.length,
    }))
    wanted.sort((a, b) =>
      `${a.instrument_name}` < `${b.instrument_name}`
        ? -1
        : `${a.instrument_name}` > `${b.instrument_name}`
          ? 1
          : Number(a.at) - Number(b.at),
    )
    alike(t, found, wanted, 'of every kind')
  })

  const instruments = [...new Set(market.quotes.map(({ instrument }) => instrument))].sort()
  const quotesOf = (instrument: string) => market.quotes.filter(quote => quote.instrument === instrument)

  await t.test('best_quotes', async t => {
    for (const atMs of [MARKET_START_MS + 1_234_567, MARKET_START_MS + HOUR_MS, MARKET_START_MS + 3]) {
      const at = new Date(atMs).toISOString()
      const wanted = instruments.flatMap(instrument => {
        const quote = lastBefore(quotesOf(instrument), atMs)
        return quote
          ? [
              {
                instrument_name: instrument,
                bid: quote.bid,
                ask: quote.ask,
                mid: (quote.bid + quote.ask) / 2,
                age: atMs - quote.atMs,
              },
            ]
          : []
      })
      const found = await ask(`SELECT instrument_name, bid, ask, mid, epoch_ms(age) AS age FROM best_quotes('${at}')`)
      alike(t, found, wanted, at)
    }
    t.same(await ask(`FROM best_quotes('${timeOf(MARKET_START_MS - 1000)}')`), [], 'none before the first')
  })

  await t.test('the quote at a trade was the quote that it caused: both share a millisecond', async t => {
    const [from, to] = [MARKET_START_MS + HOUR_MS, MARKET_START_MS + HOUR_MS + 600_000]
    const found =
      await ask(`SELECT epoch_ms(exchange_ts) AS at, instrument_name, price, bid, ask, mid, position, epoch_ms(age) AS age
      FROM trades_with_quotes('%', '${timeOf(from)}', '${timeOf(to)}')`)
    const own = market.trades.filter(({ atMs }) => atMs >= from && atMs < to)
    const causes = (trade: Trade) => quotesOf(trade.instrument).some(({ atMs }) => atMs === trade.atMs)
    t.ok(own.length > 50 && own.every(causes), 'each trade has a quote in its millisecond')
    const wanted = own
      .map(({ atMs, instrument, price, direction }) => {
        const { bid = NaN, ask = NaN, atMs: quotedMs = NaN } = lastBefore(quotesOf(instrument), atMs) ?? {}
        const isFirst = quotedMs < from
        const position = isFirst ? (price - bid) / (ask - bid) : direction === 'buy' ? 1 : 0
        return {
          at: atMs,
          instrument_name: instrument,
          price,
          bid,
          ask,
          mid: (bid + ask) / 2,
          position,
          age: atMs - quotedMs,
        }
      })
      .sort((a, b) =>
        a.instrument_name === b.instrument_name ? a.at - b.at : a.instrument_name < b.instrument_name ? -1 : 1,
      )
    alike(t, found, wanted, 'all but the first of the day at the touch')
    t.ok(
      wanted.some(({ at, age }) => at - age < from),
      "the first trades of a day find the quote in the day before's files",
    )
    const old = `SELECT count(*) AS trades, count(bid) AS quoted, count(age) AS ages
      FROM trades_with_quotes('BTC-PERPETUAL', '${timeOf(from)}', '${timeOf(to)}', lookback := '400 ms')`
    t.match(await ask(old), { 0: { quoted: 0, ages: 0 }, length: 1 }, 'not of a quote older than wanted')
  })

  await t.test('spreads', async t => {
    const from = MARKET_START_MS + HOUR_MS - 90_000
    const found = await ask(`SELECT epoch_ms(at_ts) AS at, instrument_name, spread, spread_bps
      FROM spreads('BTC%', INTERVAL 17 SECOND, '${timeOf(from)}', '${timeOf(from + 170_000)}')`)
    const wanted = instruments
      .filter(name => name.startsWith('BTC'))
      .flatMap(instrument =>
        Array.from({ length: 11 }, (_, step) => {
          const at = from + step * 17_000
          const { bid = NaN, ask = NaN } = lastBefore(quotesOf(instrument), at) ?? {}
          return {
            at,
            instrument_name: instrument,
            spread: ask - bid,
            spread_bps: ((ask - bid) / ((ask + bid) / 2)) * 1e4,
          }
        }),
      )
    alike(t, found, wanted, 'each 17 s, over midnight')
  })

  const chainAtMs = MARKET_START_MS + HOUR_MS + 400_000
  const tickersAt = (pattern: RegExp) => {
    const names = [...new Set(market.tickers.map(({ instrument }) => instrument))].filter(name => pattern.test(name))
    return names.map(name =>
      lastBefore(
        market.tickers.filter(({ instrument }) => instrument === name),
        chainAtMs,
      ),
    )
  }

  await t.test('option_chain', async t => {
    const found =
      await ask(`SELECT strike, call_mark_iv, call_bid_iv, call_ask_iv, call_delta, call_open_interest, put_mark_iv,
      put_delta, put_open_interest, underlying_price, epoch_ms(expiry) AS expiry FROM option_chain('${timeOf(chainAtMs)}', 'BTC')`)
    const calls = tickersAt(/-C$/)
    const puts = tickersAt(/-P$/)
    const wanted = calls.map((call, place) => ({
      strike: Number(call?.instrument.split('-')[2]),
      call_mark_iv: call?.iv,
      call_bid_iv: Number(call?.iv) - 1,
      call_ask_iv: null,
      call_delta: call?.delta,
      call_open_interest: call?.openInterest,
      put_mark_iv: puts[place]?.iv,
      put_delta: puts[place]?.delta,
      put_open_interest: puts[place]?.openInterest,
      underlying_price: call?.index,
      expiry: Date.parse('2026-11-27T08:00:00Z'),
    }))
    alike(t, found, wanted, 'an IV of an empty side is none')
    t.same(
      await ask(`FROM option_chain('2026-11-27 09:00', 'BTC', lookback := INTERVAL 10 DAY)`),
      [],
      'what expired is gone',
    )
  })

  await t.test('iv_surface', async t => {
    const found = await ask(
      `SELECT strike, side, mark_iv, log_moneyness, days FROM iv_surface('${timeOf(chainAtMs)}', 'BTC')`,
    )
    const wanted = tickersAt(/-C$/).map(call => {
      const strike = Number(call?.instrument.split('-')[2])
      const index = Number(call?.index)
      const days = (Date.parse('2026-11-27T08:00:00Z') - chainAtMs) / 86_400_000
      return {
        strike,
        side: strike < index ? 'put' : 'call',
        mark_iv: call?.iv,
        log_moneyness: Math.log(strike / index),
        days,
      }
    })
    alike(t, found, wanted, 'the side out of the money')
  })

  await t.test('funding_paid', async t => {
    const found = await ask(
      `SELECT day, hours, funding_rate, paid_by_long FROM funding_paid('BTC-PERPETUAL', '2026-11-21', '2026-11-30')`,
    )
    const days = groupBy(market.funding, ({ atMs }) => new Date(atMs).toISOString().slice(0, 10))
    const wanted = [...days].map(([day, hours]) => ({
      day,
      hours: hours.length,
      funding_rate: sum(hours.map(({ rate }) => rate)),
      paid_by_long: sum(hours.map(({ rate, price }) => (10_000 / price) * rate)),
    }))
    alike(t, found, wanted, 'by day')
  })

  await t.test('basis', async t => {
    const found = await ask(
      `SELECT instrument_name, basis, yearly_percent FROM basis('BTC-25DEC26', INTERVAL 1 HOUR, '2026-11-22', '2026-11-24')`,
    )
    const wanted = [1, 2].map(hours => {
      const { mark, index, atMs } = lastBefore(
        market.tickers.filter(({ instrument }) => instrument === 'BTC-25DEC26'),
        MARKET_START_MS + hours * HOUR_MS - 1,
      ) ?? { mark: NaN, index: NaN, atMs: NaN }
      const years = (Date.parse('2026-12-25T08:00:00Z') - atMs) / (365 * 24 * HOUR_MS)
      return { instrument_name: 'BTC-25DEC26', basis: mark - index, yearly_percent: ((mark / index - 1) * 100) / years }
    })
    alike(t, found, wanted, 'at the end of each hour')
  })

  await t.test('realised_volatility', async t => {
    const found = await ask(`SELECT moves, realised, implied, difference
      FROM realised_volatility('btc_usd', INTERVAL 1 HOUR, INTERVAL 1 MINUTE, '2026-11-22', '2026-11-24')`)
    const minutes = [...groupBy(market.prices, ({ atMs }) => Math.floor(atMs / 60_000))].map(([minute, prices]) => ({
      minute,
      price: prices.at(-1)?.value ?? NaN,
    }))
    const wanted = [0, 1].map(hour => {
      const starts = MARKET_START_MS / 60_000 + hour * 60
      const moves = minutes.flatMap(({ minute, price }, place) => {
        const before = minutes[place - 1]
        return before && minute >= starts && minute < starts + 60 ? [Math.log(price / before.price)] : []
      })
      const years = moves.length / (365 * 24 * 60)
      const realised = 100 * Math.sqrt(sum(moves.map(move => move * move)) / years)
      const index = market.volatility.filter(({ atMs }) => Math.floor((atMs - MARKET_START_MS) / HOUR_MS) === hour)
      const implied = sum(index.map(({ value }) => value)) / index.length
      return { moves: moves.length, realised, implied, difference: implied - realised }
    })
    alike(t, found, wanted, 'of minutes, by hour')
  })

  await t.test('docs/query.md has every one of them, and prints what is printed', async t => {
    const blocks = documentedBlocks('query.md').filter(({ language }) => language === 'sql')
    const printed: string[] = []
    for (const { code } of blocks) {
      const sql = code.replace(/;\s*$/, '')
      printed.push(`${await session.ask(sql, connection => tableOf(connection, sql, 120))}\n`)
    }
    keepPrinted('query.md', printed)
    t.same(
      printed,
      blocks.map(block => block.printed),
      'WRITE_DOCS=1 writes what this test prints to the page',
    )
  })

  await t.test('the pages describe every one of them, column by column', t => {
    const pages = [...VIEW_PAGES].map(page => pageText(page))
    for (const { name, question, parameters, columns } of readyViews()) {
      const section = pages
        .join('\n## ')
        .split(/^## /m)
        .find(text => text.includes(`\n\`${name}(`))
      const told = (section ?? '').replaceAll(/ +/g, ' ').replaceAll('\\|', '|')
      t.ok(told.startsWith(question.slice(1, 20), 1), `${name}: its question`)
      t.ok(told.includes(`Parameters: ${parameters}.`), `${name}: its parameters`)
      for (const { names, meaning } of columns)
        t.ok(told.includes(`| \`${names}\` | ${meaning} |`), `${name}: ${names}`)
      t.ok(told.includes(`${name}(`) && told.includes('```sql'), `${name}: an example`)
    }
    t.end()
  })

  await t.test('only files of the days that are asked for are read', async t => {
    const filesRead = async (sql: string) => {
      const plan = `EXPLAIN ANALYZE ${sql}`
      const [[, text] = []] = await session.ask(plan, async connection =>
        (await connection.runAndReadAll(plan)).getRows(),
      )
      return [...String(text).matchAll(/(?:Total )?Files Read: (\d+)/g)].map(([, files]) => Number(files))
    }
    const all = await filesRead('SELECT count(price) FROM trades')
    const one = await filesRead(`SELECT count(price) FROM trades WHERE date = '2026-11-23' AND kind = 'spot'`)
    t.same(one, [1])
    t.ok(Number(all[0]) >= 8, `${String(all[0])} in all`)
    const quotes = await filesRead(`FROM best_quotes('2026-11-27 14:00')`)
    t.same(quotes, [0], 'a macro, too')
  })

  await t.test('the catalog shows the same in any DuckDB', async t => {
    const instance = await duckdb().DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(await catalogSql(dataDir, 'duckdb'))
    for (const { code } of documentedBlocks('query.md').filter(({ language }) => language === 'sql')) {
      const sql = code.replace(/;\s*$/, '')
      t.equal(await tableOf(connection, sql, 120), await session.ask(sql, own => tableOf(own, sql, 120)), sql)
    }
    connection.closeSync()
    instance.closeSync()
  })

  await t.test('a quote in the location ended the text of a catalog for Spark', async t => {
    const sql = await catalogSql(dataDir, 'spark', "/mnt/o'brien\\tape")
    const given = [...sql.matchAll(/^ *(?:basePath|path) '((?:[^'\\]|\\.)*)'/gm)].map(([, text = '']) => text)
    t.equal(given.length, 12, 'a closed text behind each, of six tables')
    const unescaped = (text: string) => text.replace(/\\(.)/g, '$1')
    t.ok(unescaped(given[0] ?? '').startsWith("/mnt/o'brien\\tape/parquet"), sql)
  })

  await t.test('a catalog for Trino has every table and its partitions', async t => {
    const sql = await catalogSql(dataDir, 'trino', 's3://bucket/tape/')
    t.match(
      sql,
      /CREATE TABLE IF NOT EXISTS hive.edgetape_deribit."quote" \([^;]*"date" date\n\) WITH \([^;]*'s3:\/\/bucket\/tape\/parquet\/exchange=deribit\/table=quote'/,
    )
    t.equal(sql.match(/^CREATE TABLE/gm)?.length, 6)
    await t.rejects(catalogSql(dataDir, 'hive'), { code: 'CATALOG_DIALECT' })
  })
})

import { copyFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { bookAt } from '../../../reader/book/sample-book.js'
import { QuerySession } from '../../../reader/query/session.js'
import { NAME, recordDay, START_MS } from '../../fixtures/exported-day.js'
import { copyOptions } from '../../fixtures/option-recording.js'

async function asking(t: Test, root: string) {
  const session = await QuerySession.open({ root, fresh: undefined, note: text => t.comment(text) })
  t.teardown(() => {
    session.connection.closeSync()
    session.clear()
  })
  return (sql: string) =>
    session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRowObjectsJson())
}

t.test('the view book_at and the command book give the same levels at every moment', async t => {
  const dataDir = t.testdir()
  const gap = { fromUs: (START_MS + 6000) * 1000, toUs: (START_MS + 6500) * 1000 }
  await recordDay(dataDir, { gap })
  const ask = await asking(t, dataDir)
  const states: string[] = []
  // The view goes by the exchange's clock, strictly before; the command by the receiver's.
  const changes = await ask(`SELECT epoch_us(exchange_ts)::BIGINT AS made, epoch_us(max(recv_ts))::BIGINT AS received
    FROM book WHERE instrument_name = '${NAME}' GROUP BY exchange_ts ORDER BY made`)
  const moments = changes.map(({ made, received }) => ({ made: Number(made), received: Number(received) }))
  const inGapUs = { made: gap.fromUs + 100_000, received: gap.fromUs + 101_500 }
  for (const { made, received } of [...moments.filter((_, at) => at % 25 === 20), inGapUs]) {
    const rows = await ask(`SELECT side, price, round(amount_coin * price, 6) AS amount, covered
      FROM book_at('${NAME}', make_timestamptz(${made + 1})) ORDER BY side DESC, level`)
    const book = await bookAt({ path: dataDir, instrument: NAME, at: received })
    const side = (name: string, levels: typeof book.bids) =>
      levels.map(([price, amount]) => ({ side: name, price, amount }))
    const covered = book.state === 'unknown' ? false : true
    const levels = [...side('bid', book.bids), ...side('ask', book.asks)].map(level => ({ ...level, covered }))
    const wanted = covered ? levels : [{ side: null, price: null, amount: null, covered }]
    t.strictSame(rows, wanted, `${made}: ${book.state}`)
    states.push(book.state)
  }
  t.ok(states.includes('unknown') && states.includes('known'), states.join(' '))
})

t.test(
  'an option stands once at each moment of a chain, though two recorders received the same in the same µs',
  async t => {
    const dataDir = t.testdir()
    await copyOptions(dataDir)
    const chain = `SELECT count(*) AS rows, count(DISTINCT (at_ts, instrument_name)) AS states, count(mark_price) AS known
    FROM option_chain_at(INTERVAL 1 MINUTE, '2026-11-22 23:56', '2026-11-23 00:01')`
    const before = await (await asking(t, dataDir))(chain)
    const tickers = join(dataDir, 'parquet/exchange=deribit/table=ticker')
    const files = readdirSync(tickers, { recursive: true, encoding: 'utf8' }).filter(path => path.endsWith('.parquet'))
    for (const path of files)
      copyFileSync(join(tickers, path), join(tickers, path.replace(/([^/]+)\.parquet$/, '$1b.parquet')))
    t.ok(files.length > 0)
    t.strictSame(await (await asking(t, dataDir))(chain), before)
    t.strictSame(before[0]?.['rows'], before[0]?.['states'])
  },
)

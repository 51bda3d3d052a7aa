/** The prompt of `query` at a terminal. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { prompt } from '../../../cli/query/prompt.js'
import { exampleAtHand } from '../../../reader/query/example-at-hand.js'
import { readyViews } from '../../../reader/query/ready-views.js'
import { QuerySession } from '../../../reader/query/session.js'
import { writeDataset } from '../../fixtures/dataset.js'
import { until } from '../../fixtures/recorder-process.js'

const CTRL_C = '\x03'

async function atTerminal(t: Test, root: string) {
  const historyPath = join(root, 'of-its-user', 'query-history')
  const session = await QuerySession.open({ root, fresh: undefined, note: text => t.fail(text) })
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const heard = { out: '', say: '' }
  const collect = (what: keyof typeof heard) => {
    const stream = new PassThrough()
    // Without what moves the cursor.
    stream.on('data', (part: Buffer) => (heard[what] += part.toString().replace(/\x1b\[\d*[A-Z]/g, '\n')))
    return stream
  }
  const ended = prompt({ session, root, input, out: collect('out'), say: collect('say'), historyPath })
  return {
    ...{ heard, historyPath, type: (text: string) => input.write(text) },
    end: async () => {
      input.end()
      await ended
      session.connection.closeSync()
      session.clear()
    },
  }
}

const SQL = `SELECT TIMESTAMPTZ '2026-11-25 09:30:05Z' AS recv_ts, 'BTC-PERPETUAL' AS instrument_name`
const trades = [{ table: 'trades', kind: 'perpetual', currency: 'BTC', date: '2026-11-25', sql: SQL }]

t.test('Ctrl-C ended the prompt: now it cancels a statement, and what is half typed', async t => {
  const root = t.testdir()
  await writeDataset(root, trades)
  const { heard, type, end } = await atTerminal(t, root)
  type('SELECT count(*) FROM range(100000000000) a, range(1000) b;\n')
  // Before it has begun there is nothing to cancel.
  const again = setInterval(() => type(CTRL_C), 200)
  await until('it is cancelled', () => heard.say.includes('cancelled'), 30_000).finally(() => clearInterval(again))
  type('SELECT nothing of')
  type(CTRL_C)
  type('\nSELECT 7 AS seven;\n')
  await until('the next is answered', () => heard.out !== '')
  t.equal(heard.out, 'seven\n    7\n')
  await end()
})

t.test('what is typed is there in the next session, names are completed, views have a line each', async t => {
  const root = t.testdir()
  await writeDataset(root, trades)
  const first = await atTerminal(t, root)
  first.type("SELECT 'the first session' AS said;\n")
  await until('it is answered', () => first.heard.out.includes('the first session'))
  await first.end()
  t.match(readFileSync(first.historyPath, 'utf8'), /^SELECT 'the first session' AS said;\n$/)
  t.equal(statSync(first.historyPath).mode & 0o777, 0o600, 'for its user alone')

  const { heard, type, end } = await atTerminal(t, root)
  type('\x1b[A\n')
  await until('the arrow brings it back', () => heard.out.includes('the first session'))
  type('SELECT count(*) AS n FROM trades;\n')
  await until('it is answered', () => heard.out.includes('n\n1\n'))
  type('FROM term_str\t')
  await until('the view is completed', () => heard.say.includes('term_structure('))
  type(CTRL_C)
  type('\n')
  type('.views\n')
  await until('views are listed', () => /^vol_cone +\S.*$/m.test(heard.say))
  for (const { name } of readyViews()) t.match(heard.say, new RegExp(`^${name} +\\S.*$`, 'm'))
  t.notMatch(heard.say, /^(?:[a-z_]+ ).{80}/m, 'of 80 columns')
  type('.views funding\n')
  await until('an example is shown', () => heard.say.includes("funding('BTC-PERPETUAL', '2026-11-25', '2026-11-26')"))
  await end()
})

t.test('examples of ready views carried a date that answered nothing', t => {
  const there = { lastMs: Date.parse('2027-01-15T09:30:05.250Z'), instrument: 'ETH-PERPETUAL' }
  const at = (example: string) => exampleAtHand(example, there)
  t.equal(
    at("FROM vol_cone('btc_usd', '2026-09-01', '2026-11-30')"),
    "FROM vol_cone('btc_usd', '2026-10-25', '2027-01-23')",
  )
  t.equal(
    at("FROM book_at('BTC-PERPETUAL', '2026-11-22 14:00')"),
    "FROM book_at('ETH-PERPETUAL', '2027-01-15 09:30:05')",
  )
  t.equal(
    at("FROM spreads('BTC-PERPETUAL', INTERVAL 1 MINUTE, '2026-11-22 14:00', '2026-11-22 15:00')"),
    "FROM spreads('ETH-PERPETUAL', INTERVAL 1 MINUTE, '2027-01-15 09:00', '2027-01-15 10:00')",
  )
  t.end()
})

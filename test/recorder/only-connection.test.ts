import t from 'tap'
import { matchAll } from '../fixtures/match-all.js'
import { oneGap, secondsOf } from '../fixtures/one-gap.js'
import { oneConnection } from '../fixtures/two-copies.js'

const ENGINE = ['quote', 'ticker', 'book'].map(name => ({ name, every: 0.1 }))
const NEVER_REST = { quote: 60_000, ticker: 60_000, book: 60_000 }

t.test('a family that stays silent is taken anew at growing distances, not every minute', t => {
  const run = oneConnection([{ name: 'index', every: 1, regular: true }], 9, { index: 5000 })
  run.open(0)
  run.run(10)
  run.copy(0).quiet.add('index')
  run.run(1000)
  t.equal(run.copy(0).revived.length, 5, 'at once, and 1, 3, 7 and 15 minutes later')
  t.end()
})

t.test('a family that never rests, on the only connection: reported with its bounds while it lasts', t => {
  const run = oneConnection([{ name: 'index', every: 1, regular: true }], 8, { index: 5000 })
  run.open(0)
  run.run(10)
  const lastUs = run.copy(0).account.flows.of('index').lastUs
  run.copy(0).quiet.add('index')
  run.run(4)
  t.same(run.journal, [], 'not yet')
  run.run(3)
  matchAll(t, run.journal, [{ event: 'silent', family: 'index', conn: 'd1', from_us: lastUs }])
  run.run(120)
  t.equal(run.of('silent').length, 3, 'in pieces')
  run.copy(0).quiet.clear()
  run.run(5)
  oneGap(t, run, 'index', [10, 138], 1.2)
  t.equal(run.missingOf('index')[0]?.fromUs, lastUs)
  t.same(run.of('gap'), [])
  t.end()
})

t.test('a family that fell silent on the only connection, while the others went on, was reported after a minute', t => {
  const run = oneConnection(ENGINE, 31, NEVER_REST)
  run.open(0)
  run.run(30)
  run.copy(0).quiet.add('quote')
  run.run(15)
  run.copy(0).quiet.delete('quote')
  run.run(10)
  oneGap(t, run, 'quote', [30, 45])
  t.same([...run.missingOf('ticker'), ...run.missingOf('book')], [])
  t.end()
})

t.test('of the only connection, a halt of the exchange is no loss; where books lack changes since, it was one', t => {
  const run = oneConnection(ENGINE, 32, NEVER_REST)
  run.open(0)
  run.run(30)
  const { quiet, account } = run.copy(0)
  const halt = () => {
    for (const { name } of ENGINE) quiet.add(name)
    run.run(15)
    quiet.clear()
    run.run(0.3)
  }
  halt()
  run.run(20)
  t.same(run.of('silent'), [])
  for (let times = 1; times <= 2; times++) {
    // What one halt taught of rests is an hour old.
    run.run(4000)
    const fromS = run.second
    halt()
    account.flows.brokeUs = run.nowUs
    run.run(10)
    for (const family of ['quote', 'ticker']) {
      const [began = 0, ended = 0] = secondsOf(run.missingOf(family)).at(-1) ?? []
      t.ok(
        Math.abs(began - fromS) < 1 && Math.abs(ended - fromS - 15) < 1,
        `${family}, time ${times}: ${began} to ${ended}`,
      )
    }
  }
  t.end()
})

t.test('data that died before the only connection was cut is missing from its last frame on', t => {
  const run = oneConnection([{ name: 'quote', every: 0.05 }], 9)
  run.open(0)
  run.run(30)
  run.copy(0).quiet.add('quote')
  run.run(15)
  run.cut(0)
  run.run(5)
  run.open(0)
  run.run(5)
  oneGap(t, run, 'quote', [30, 50], 0.5)
  t.end()
})

t.test('what may rest counted as complete up to the cut where all had died before', t => {
  const families = [
    { name: 'quote', every: 0.05 },
    { name: 'trades', every: 10 },
  ]
  const run = oneConnection(families, 10)
  run.open(0)
  run.run(60)
  run.copy(0).quiet.add('quote').add('trades')
  run.run(15)
  run.cut(0)
  run.run(5)
  run.open(0)
  run.run(5)
  oneGap(t, run, 'trades', [60, 80], 0.5)
  t.end()
})

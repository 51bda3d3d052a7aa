import t, { type Test } from 'tap'
import { Random } from '../../simulator/market/random.js'
import { TwoCopies, type Family } from '../fixtures/two-copies.js'
import { matchAll } from '../fixtures/match-all.js'

const START_US = Date.parse('2026-11-28T12:00:00Z') * 1000
const S = 1e6

/** Dense ones, one like a clock, and two that come now and then. */
const FAMILIES: Family[] = [
  { name: 'quote', every: 0.05 },
  { name: 'book', every: 0.1 },
  { name: 'index', every: 1, regular: true },
  { name: 'trades', every: 20 },
  { name: 'news', every: 3000 },
]
const DENSE = FAMILIES.filter(({ every }) => every <= 1)

function both(seed: number, warmUpS = 60): TwoCopies {
  const random = new Random(seed)
  const run = new TwoCopies(FAMILIES, () => random.float())
  run.open(0)
  run.run(1)
  run.open(1)
  run.run(warmUpS)
  return run
}

/** Spans in seconds since the beginning. */
const seconds = (spans: readonly { fromUs: number; toUs: number }[]) =>
  spans.map(({ fromUs, toUs }) => [(fromUs - START_US) / S, (toUs - START_US) / S] as const)

/** What is told as missing of a family against what no connection brought. */
function compare(t: Test, run: TwoCopies, label: string): void {
  for (const { name, every } of FAMILIES) {
    const missing = run.missingOf(name)
    const isTold = (us: number) => missing.some(({ fromUs, toUs }) => us >= fromUs - S && us <= toUs + S)
    const untold = (run.missed.get(name) ?? []).filter(us => us > START_US + 2 * S && !isTold(us))
    t.same(untold, [], `${label}: of ${name} each event that nobody brought is in a gap`)
    const covered = run.coveredOf(name)
    const inside = (us: number) => covered.some(({ fromUs, toUs }) => us > fromUs + S / 2 && us < toUs - S / 2)
    t.same(
      (run.missed.get(name) ?? []).filter(inside),
      [],
      `${label}: nothing that nobody brought of ${name} is covered`,
    )
    t.same(run.duplicatesOf(name), [], `${label}: no moment of ${name} is told twice`)
    if (every > 1) continue
    // A gap of what comes densely holds next to nothing that came.
    const came = (run.came.get(name) ?? []).filter(us =>
      missing.some(span => us > span.fromUs + S && us < span.toUs - S),
    )
    t.ok(came.length === 0, `${label}: no gap of ${name} where it came: ${came.length}`)
  }
}

t.test('a connection whose data died, with heartbeats that live, covers nothing', t => {
  const run = both(1)
  for (const { name } of FAMILIES) run.copy(1).quiet.add(name)
  run.run(30)
  const cutS = run.second
  run.cut(0)
  run.run(20)
  run.open(0)
  run.run(30)
  compare(t, run, 'all quiet')
  for (const { name } of DENSE) {
    const [gap, ...more] = seconds(run.missingOf(name))
    t.same(more, [], name)
    t.ok(
      gap && Math.abs(gap[0] - cutS) < 1 && Math.abs(gap[1] - cutS - 20) < 1,
      `${name}: ${String(gap)} of ${cutS} + 20 s`,
    )
  }
  t.ok(run.missingOf('news').length > 0, 'what nothing proves is a gap, too')
  t.end()
})

t.test('two families died on one connection: these are missing, the others covered', t => {
  const run = both(2)
  run.copy(1).quiet.add('quote').add('index')
  run.run(15)
  run.cut(0)
  run.run(10)
  run.open(0)
  run.run(90)
  compare(t, run, 'two quiet')
  t.equal(run.missingOf('quote').length, 1)
  t.same(run.missingOf('book'), [])
  t.equal(run.coveredOf('book').length, 1)
  t.end()
})

for (const [when, story] of [
  ['before', [() => undefined, 5, 'cut', 20, 'open', 5, 'quiet']],
  ['during', [() => undefined, 5, 'cut', 5, 'quiet', 15, 'open']],
  ['across', [() => undefined, 5, 'quiet', 10, 'cut', 10, 'speak', 10, 'open']],
  ['after', [() => undefined, 5, 'quiet', 10, 'speak', 5, 'cut', 20, 'open']],
] as const) {
  t.test(`one family dies on a connection ${when} the outage of the other`, t => {
    const run = both(3)
    for (const step of story) {
      if (typeof step === 'number') run.run(step)
      else if (step === 'cut') run.cut(0)
      else if (step === 'open') run.open(0)
      else if (step === 'quiet') run.copy(1).quiet.add('quote')
      else if (step === 'speak') run.copy(1).quiet.clear()
    }
    run.run(60)
    compare(t, run, when)
    t.equal(run.missingOf('quote').length, (run.missed.get('quote') ?? []).length > 0 ? 1 : 0)
    t.same(run.missingOf('book'), [], 'what flowed on the other one is covered')
    t.end()
  })
}

t.test('what comes now and then is covered by a connection that lives, and watched, not proven', t => {
  const run = both(4)
  run.cut(0)
  run.run(3)
  run.open(0)
  run.run(30)
  t.same(run.missingOf('news'), [])
  const [covered, ...more] = run.of('covered')
  t.same(more, [], 'one entry')
  t.same(covered?.families, FAMILIES.map(({ name }) => name).sort())
  t.ok(covered?.watched?.includes('news'))
  t.notOk(covered?.watched?.includes('quote'))
  t.end()
})

t.test('that a connection had lost what comes now and then is found out by the other one, and told late', t => {
  const run = both(5)
  run.copy(1).quiet.add('trades')
  run.run(1)
  run.cut(0)
  run.run(10)
  run.open(0)
  run.run(200)
  const [gap] = seconds(run.missingOf('trades'))
  t.ok(gap && Math.abs(gap[0] - 62) < 1.5 && Math.abs(gap[1] - 72) < 1.5, String(gap))
  t.same(run.missingOf('quote'), [])
  t.ok(run.copy(1).revived.includes('trades'), 'and taken anew')
  t.same(run.copy(0).revived, [], 'on that connection alone')
  t.end()
})

t.test('half-open, and cut meanwhile: missing from the last that came', t => {
  const run = both(6)
  run.copy(1).isHalfOpen = true
  run.run(5)
  run.cut(0)
  run.run(10)
  run.cut(1)
  run.run(5)
  run.open(0)
  run.run(5)
  run.open(1)
  run.run(30)
  compare(t, run, 'half-open')
  for (const { name } of DENSE) t.equal(run.missingOf(name).length, 1)
  t.end()
})

t.test('a family that never rests is watched on one connection while the other one is down', t => {
  const random = new Random(7)
  const run = new TwoCopies(
    [
      { name: 'index', every: 1, regular: true },
      { name: 'quote', every: 0.1 },
    ],
    () => random.float(),
    2,
    {
      index: 5000,
    },
  )
  run.open(0)
  run.open(1)
  run.run(20)
  run.cut(1)
  run.run(5)
  run.copy(0).quiet.add('index')
  run.run(10)
  t.same(run.copy(0).revived, ['index'], 'it is taken anew')
  run.open(1)
  run.run(10)
  const [gap, ...more] = seconds(run.missingOf('index'))
  t.same(more, [])
  t.ok(gap && Math.abs(gap[0] - 25) < 1.1 && Math.abs(gap[1] - 35) < 1.1, String(gap))
  t.end()
})

t.test('a family that stays silent is taken anew at growing distances, not every minute', t => {
  const random = new Random(9)
  const run = new TwoCopies([{ name: 'index', every: 1, regular: true }], () => random.float(), 1, { index: 5000 })
  run.open(0)
  run.run(10)
  run.copy(0).quiet.add('index')
  run.run(1000)
  t.equal(run.copy(0).revived.length, 5, 'at once, and 1, 3, 7 and 15 minutes later')
  t.end()
})

t.test('a family that never rests, on the only connection: told with its bounds while it lasts', t => {
  const random = new Random(8)
  const run = new TwoCopies([{ name: 'index', every: 1, regular: true }], () => random.float(), 1, { index: 5000 })
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
  const [silent, ...more] = seconds(run.missingOf('index'))
  t.same(more, [], 'which are one span')
  t.ok(silent && silent[0] === (lastUs - START_US) / S && Math.abs(silent[1] - 138) < 1.2, String(silent))
  t.same(run.of('gap'), [])
  t.end()
})

t.test('what may rest was told as complete while a connection that lives brought nothing at all', t => {
  const random = new Random(9)
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'index', every: 1, regular: true },
    { name: 'trades', every: 3 },
  ]
  const run = new TwoCopies(families, () => random.float(), 1, { quote: 5000, index: 5000 })
  run.open(0)
  run.run(30)
  const { quiet } = run.copy(0)
  quiet.add('quote').add('trades')
  run.run(20)
  t.same(run.missingOf('trades'), [], 'what still comes shows that it is not the connection')
  for (const { name } of families) quiet.add(name)
  run.run(150)
  quiet.clear()
  run.run(20)
  const [gap, ...more] = seconds(run.missingOf('trades'))
  t.same(more, [], 'in pieces which are one span')
  t.ok(gap && Math.abs(gap[0] - 50) < 1.1 && Math.abs(gap[1] - 200) < 1.1, String(gap))
  t.ok(run.of('silent').some(({ family, cause }) => family === 'trades' && cause?.includes('all else')))
  t.end()
})

t.test('what may rest was told as complete where its frame was the last before nothing came', t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = new Random(seed)
    const families = [
      { name: 'quote', every: 0.2 },
      { name: 'trades', every: 0.05 },
    ]
    const run = new TwoCopies(families, () => random.float(), 1, { quote: 5000 })
    run.open(0)
    run.run(30)
    const { quiet } = run.copy(0)
    quiet.add('quote').add('trades')
    run.run(60)
    quiet.clear()
    run.run(20)
    const [gap, ...more] = seconds(run.missingOf('trades'))
    t.same(more, [])
    t.ok(gap && Math.abs(gap[0] - 30) < 1.1 && Math.abs(gap[1] - 90) < 1.1, String(gap))
  }
  t.end()
})

t.test('a connection that brought nothing was told as complete where nothing of it is known to never rest', t => {
  const random = new Random(6)
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'trades', every: 5 },
  ]
  const run = new TwoCopies(families, () => random.float(), 2, {}, true)
  run.open(0)
  run.open(1)
  run.run(40)
  const halt = (copies: readonly number[], forS: number) => {
    for (const n of copies) for (const { name } of families) run.copy(n).quiet.add(name)
    run.run(forS)
    for (const n of copies) run.copy(n).quiet.clear()
    run.run(30)
  }
  halt([0, 1], 60)
  t.same(run.of('silent'), [], 'where nobody brings anything the exchange may have sent nothing')
  run.run(4000)
  const fromS = run.second
  halt([0], 60)
  for (const { name } of families) {
    const [gap, ...more] = seconds(run.missingOf(name))
    t.same(more, [], name)
    t.ok(gap && Math.abs(gap[0] - fromS) < 1.1 && Math.abs(gap[1] - fromS - 60) < 1.1, `${name} ${String(gap)}`)
  }
  t.same(new Set(run.of('silent').map(({ conn }) => conn)), new Set(['d1']))
  t.end()
})

t.test('what may rest was told as complete again before anything came, once the rest was given up', t => {
  const random = new Random(4)
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'trades', every: 3 },
  ]
  const run = new TwoCopies(families, () => random.float(), 1, { quote: 5000 })
  run.open(0)
  run.run(40)
  const { quiet, channels, askedFor } = run.copy(0)
  for (const { name } of families) quiet.add(name)
  run.run(30)
  // Promised again and again, and it never came.
  channels.delete('quote')
  run.run(60)
  quiet.clear()
  run.run(20)
  const [gap, ...more] = seconds(run.missingOf('trades'))
  t.same(more, [])
  t.ok(gap && Math.abs(gap[0] - 40) < 1.1 && Math.abs(gap[1] - 130) < 1.1, String(gap))
  t.equal(askedFor.length, 1)
  t.end()
})

t.test('a last trade that did not come was never looked for where no later one showed it', t => {
  const random = new Random(3)
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'book', every: 0.1 },
    { name: 'trades', every: 3 },
  ]
  const run = new TwoCopies(families, () => random.float(), 1, { quote: 60_000, book: 60_000 })
  run.open(0)
  run.run(40)
  const { quiet, account, askedFor, revived } = run.copy(0)
  const nothingComes = (forS: number) => {
    for (const { name } of families) quiet.add(name)
    run.run(forS)
    quiet.clear()
    run.run(0.3)
  }
  const fromS = run.second
  nothingComes(150)
  t.same(askedFor, [], 'not while nothing comes: answers might not come either')
  run.run(10)
  const [[channels, sinceS] = [], ...more] = askedFor.splice(0)
  t.same([channels, more], [families.map(({ name }) => name), []], 'once')
  t.ok(sinceS !== undefined && Math.abs(sinceS - fromS) < 1, String(sinceS))
  t.notOk(revived.includes('trades'))
  run.run(4000)
  const againS = run.second
  nothingComes(15)
  account.flows.brokeUs = run.nowUs
  run.run(10)
  const [[, alsoSinceS] = []] = askedFor
  t.ok(alsoSinceS !== undefined && Math.abs(alsoSinceS - againS) < 1, String(alsoSinceS))
  t.end()
})

const ENGINE = ['quote', 'ticker', 'book'].map(name => ({ name, every: 0.1 }))
const rounded = (spans: Parameters<typeof seconds>[0]) => seconds(spans).map(span => span.map(Math.round))
const NEVER_REST = { quote: 60_000, ticker: 60_000, book: 60_000 }

t.test('a family that fell silent on the only connection, while the others went on, was told after a minute', t => {
  const random = new Random(31)
  const run = new TwoCopies(ENGINE, () => random.float(), 1, NEVER_REST)
  run.open(0)
  run.run(30)
  run.copy(0).quiet.add('quote')
  run.run(15)
  run.copy(0).quiet.delete('quote')
  run.run(10)
  t.same(rounded(run.missingOf('quote')), [[30, 45]])
  t.same([...run.missingOf('ticker'), ...run.missingOf('book')], [])
  t.end()
})

t.test('of the only connection, a halt of the exchange is no loss; where books lack changes since, it was one', t => {
  const random = new Random(32)
  const run = new TwoCopies(ENGINE, () => random.float(), 1, NEVER_REST)
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
      const [began = 0, ended = 0] = seconds(run.missingOf(family)).at(-1) ?? []
      t.ok(
        Math.abs(began - fromS) < 1 && Math.abs(ended - fromS - 15) < 1,
        `${family}, time ${times}: ${began} to ${ended}`,
      )
    }
  }
  t.end()
})

t.test('data that died before the only connection was cut is missing from its last frame on', t => {
  const random = new Random(9)
  const run = new TwoCopies([{ name: 'quote', every: 0.05 }], () => random.float(), 1)
  run.open(0)
  run.run(30)
  run.copy(0).quiet.add('quote')
  run.run(15)
  run.cut(0)
  run.run(5)
  run.open(0)
  run.run(5)
  const [gap, ...more] = seconds(run.missingOf('quote'))
  t.same(more, [])
  t.ok(gap && Math.abs(gap[0] - 30) < 0.5 && Math.abs(gap[1] - 50) < 0.5, String(gap))
  t.end()
})

t.test('what may rest was told as complete up to the cut where all had died before', t => {
  const random = new Random(10)
  const families = [
    { name: 'quote', every: 0.05 },
    { name: 'trades', every: 10 },
  ]
  const run = new TwoCopies(families, () => random.float(), 1)
  run.open(0)
  run.run(60)
  run.copy(0).quiet.add('quote').add('trades')
  run.run(15)
  run.cut(0)
  run.run(5)
  run.open(0)
  run.run(5)
  const [gap, ...more] = seconds(run.missingOf('trades'))
  t.same(more, [])
  t.ok(gap && Math.abs(gap[0] - 60) < 0.5 && Math.abs(gap[1] - 80) < 0.5, String(gap))
  t.end()
})

t.test('in any order of cuts, deaths and returns nothing that nobody brought is covered', t => {
  for (let seed = 100; seed < 160; seed++) {
    const random = new Random(seed)
    const run = both(seed, 40)
    const steps: string[] = []
    for (let step = 0; step < 25; step++) {
      const n = random.int(0, 1)
      const what = random.pick(['cut', 'cut', 'open', 'open', 'quiet one', 'quiet all', 'half-open', 'speak'])
      const waitS = random.int(3, 25)
      steps.push(`${run.second}: ${what} ${n}`)
      const copy = run.copy(n)
      if (what === 'cut') run.cut(n)
      else if (what === 'open') run.open(n)
      else if (what === 'quiet one') copy.quiet.add(random.pick(['quote', 'book', 'index']))
      else if (what === 'quiet all') for (const { name } of FAMILIES) copy.quiet.add(name)
      else if (what === 'speak') copy.quiet.clear()
      else if (copy.state === 'live') {
        copy.isHalfOpen = true
        run.run(random.int(1, 15))
        run.cut(n)
      }
      run.run(waitS)
    }
    for (const n of [0, 1]) run.open(n)
    for (const n of [0, 1]) run.copy(n).quiet.clear()
    run.run(300)
    run.close()
    t.test(`seed ${seed}`, t => {
      compare(t, run, steps.join(', '))
      t.end()
    })
  }
  t.end()
})

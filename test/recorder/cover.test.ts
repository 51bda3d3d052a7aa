import t, { type Test } from 'tap'
import { Random } from '../../simulator/market/random.js'
import { oneGap } from '../fixtures/one-gap.js'
import { START_US, TwoCopies, type Family } from '../fixtures/two-copies.js'

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

/** What is reported as missing of a family against what no connection brought. */
function compare(t: Test, run: TwoCopies, label: string): void {
  for (const { name, every } of FAMILIES) {
    const missing = run.missingOf(name)
    const isReported = (us: number) => missing.some(({ fromUs, toUs }) => us >= fromUs - S && us <= toUs + S)
    const unreported = (run.missed.get(name) ?? []).filter(us => us > START_US + 2 * S && !isReported(us))
    t.same(unreported, [], `${label}: of ${name} each event that nobody brought is in a gap`)
    const covered = run.coveredOf(name)
    const inside = (us: number) => covered.some(({ fromUs, toUs }) => us > fromUs + S / 2 && us < toUs - S / 2)
    t.same(
      (run.missed.get(name) ?? []).filter(inside),
      [],
      `${label}: nothing that nobody brought of ${name} is covered`,
    )
    t.same(run.duplicatesOf(name), [], `${label}: no moment of ${name} is reported twice`)
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
    oneGap(t, run, name, [cutS, cutS + 20], 1)
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

t.test('that a connection had lost what comes now and then is found out by the other one, and reported late', t => {
  const run = both(5)
  run.copy(1).quiet.add('trades')
  run.run(1)
  run.cut(0)
  run.run(10)
  run.open(0)
  run.run(200)
  oneGap(t, run, 'trades', [62, 72], 1.5)
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
  oneGap(t, run, 'index', [25, 35])
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

import t from 'tap'
import { Random } from '../../simulator/market/random.js'
import { oneGap } from '../fixtures/one-gap.js'
import { oneConnection, TwoCopies } from '../fixtures/two-copies.js'

t.test('what may rest counted as complete while a connection that lives brought nothing at all', t => {
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'index', every: 1, regular: true },
    { name: 'trades', every: 3 },
  ]
  const run = oneConnection(families, 9, { quote: 5000, index: 5000 })
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
  oneGap(t, run, 'trades', [50, 200])
  t.ok(run.of('silent').some(({ family, cause }) => family === 'trades' && cause?.includes('all else')))
  t.end()
})

t.test('what may rest counted as complete where its frame was the last before nothing came', t => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const families = [
      { name: 'quote', every: 0.2 },
      { name: 'trades', every: 0.05 },
    ]
    const run = oneConnection(families, seed, { quote: 5000 })
    run.open(0)
    run.run(30)
    const { quiet } = run.copy(0)
    quiet.add('quote').add('trades')
    run.run(60)
    quiet.clear()
    run.run(20)
    oneGap(t, run, 'trades', [30, 90])
  }
  t.end()
})

t.test('a connection that brought nothing counted as complete where nothing of it is known to never rest', t => {
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
    oneGap(t, run, name, [fromS, fromS + 60])
  }
  t.same(new Set(run.of('silent').map(({ conn }) => conn)), new Set(['d1']))
  t.end()
})

t.test('what may rest counted as complete again before anything came, once the rest was given up', t => {
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'trades', every: 3 },
  ]
  const run = oneConnection(families, 4, { quote: 5000 })
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
  oneGap(t, run, 'trades', [40, 130])
  t.equal(askedFor.length, 1)
  t.end()
})

t.test('a last trade that did not come was never looked for where no later one showed it', t => {
  const families = [
    { name: 'quote', every: 0.1 },
    { name: 'book', every: 0.1 },
    { name: 'trades', every: 3 },
  ]
  const run = oneConnection(families, 3, { quote: 60_000, book: 60_000 })
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

/** Lists and frames about instruments, in whatever order: what was told adds up, and nothing flickers. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LINGER_MS, Listings, type CatalogueChange, type Listed } from '../../exchanges/listings.js'
import { matchAll } from '../fixtures/match-all.js'
import { holds } from '../fixtures/holds.js'

const NAMES = ['A', 'B', 'C', 'D'] as const
const UNWANTED = 'D'
const LIST_AGE_MS = 60_000

interface Instrument extends Listed {
  instrument_name: string
}

/** Instruments that are told of, with time moved by hand. */
class World {
  nowMs = 1_000_000
  readonly listings: Listings<Instrument>
  /** What whoever hears of the changes believes. */
  told: Set<string> | undefined
  readonly changes: CatalogueChange[] = []

  constructor() {
    const nowMs = () => this.nowMs
    this.listings = new Listings<Instrument>(
      ({ instrument_name: name }) => name !== UNWANTED,
      { isOver: state => state === 'over', expiryMsOf: () => Infinity },
      { nowMs, wallMs: nowMs },
    )
  }

  list(names: readonly string[], facts: { over?: string; heard?: readonly string[] } = {}): CatalogueChange {
    const { over, heard = [] } = facts
    const change = this.listings.replace(
      names.map(instrument_name => ({ instrument_name })),
      { inactive: new Map(over === undefined ? [] : [[over, 'over']]), isHeard: name => heard.includes(name) },
    )
    if (this.told) this.#take(change)
    else this.told = new Set(this.names)
    return change
  }

  settle(): CatalogueChange | undefined {
    const change = this.listings.settle()
    if (change) this.#take(change)
    return change
  }

  alive(name: string, isDefined: boolean): void {
    this.listings.hearAlive(name, true, isDefined ? { instrument_name: name } : undefined)
  }

  get names(): string[] {
    return this.listings.instruments.map(({ instrument_name }) => instrument_name).sort()
  }

  #take(change: CatalogueChange): void {
    const removed = change.removed.flatMap(({ instruments }) => instruments)
    assert.equal(new Set([...removed, ...change.added]).size, removed.length + change.added.length, 'each is told once')
    for (const name of removed) assert.ok(this.told?.delete(name), `${name} was there before it went`)
    for (const name of change.added) {
      assert.ok(!this.told?.has(name), `${name} was not there before it came`)
      this.told?.add(name)
    }
    for (const { instrument, awayMs } of change.returned ?? []) {
      assert.ok(change.added.includes(instrument), 'what returns is there anew')
      assert.ok(awayMs >= 0)
    }
    this.changes.push(change)
  }
}

const name = fc.constantFrom(...NAMES)
const step = fc.oneof(
  fc.record({ do: fc.constant('list' as const), names: fc.subarray([...NAMES]), heard: fc.subarray([...NAMES]) }),
  fc.record({ do: fc.constant('over' as const), names: fc.subarray([...NAMES]), name }),
  fc.record({ do: fc.constant('gone' as const), name }),
  fc.record({ do: fc.constant('alive' as const), name, isDefined: fc.boolean() }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1000, 5000, LINGER_MS, 30_000, LIST_AGE_MS) }),
  fc.constant({ do: 'settle' as const }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

function carryOut(world: World, step: Step): void {
  switch (step.do) {
    case 'list':
      world.list(step.names, { heard: step.heard })
      return
    case 'over':
      world.list(
        step.names.filter(name => name !== step.name),
        { over: step.name },
      )
      return
    case 'gone':
      world.listings.hearGone(step.name, 'over')
      return
    case 'alive':
      world.alive(step.name, step.isDefined)
      return
    case 'wait':
      world.nowMs += step.ms
      return
    case 'settle':
      world.settle()
  }
}

t.test('whoever follows what is told of instruments that come and go knows those that there are', t => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const world = new World()
      for (const step of steps) {
        carryOut(world, step)
        if (world.told) assert.deepEqual(world.names, [...world.told].sort())
        assert.ok(!world.names.includes(UNWANTED), 'what the config does not ask for is never there')
      }
    }),
    { numRuns: 400 },
  )
  t.end()
})

t.test('what every list has, and no frame speaks of as over, never goes', t => {
  const others = step.map(step => ({ ...step, ...('names' in step && { names: [...new Set(['A', ...step.names])] }) }))
  holds(
    t,
    fc.property(fc.array(others, { maxLength: 30 }), steps => {
      const world = new World()
      world.list(['A'])
      for (const step of steps) {
        if ('name' in step && step.name === 'A') continue
        carryOut(world, step as Step)
        assert.ok(world.names.includes('A'))
      }
    }),
  )
  t.end()
})

t.test('all word of an instrument that goes is one word, with one reason', t => {
  const world = new World()
  world.list(['A', 'B', 'C'])
  world.listings.hearGone('A', 'delivered')
  world.listings.hearGone('B', 'delivered')
  world.listings.hearGone('A', 'closed')
  t.equal(world.settle(), undefined, 'its last frames may still come')
  world.nowMs += LINGER_MS
  t.same(world.settle()?.removed, [{ instruments: ['A', 'B'], reason: 'delivered' }])
  t.equal(world.settle(), undefined)
  world.nowMs += LIST_AGE_MS / 2
  t.same(world.list(['A', 'B', 'C']), { added: [], removed: [] }, 'a cached list does not bring them back')
  world.nowMs += LIST_AGE_MS
  t.same(world.list(['A', 'B', 'C']).added, ['A', 'B'], 'one that is newer does')
  t.end()
})

t.test('what a frame opens and another takes back within the time of its last frames was never gone', t => {
  const world = new World()
  world.list(['A'])
  world.listings.hearGone('A', 'halted')
  world.nowMs += LINGER_MS - 1
  world.alive('A', false)
  world.nowMs += LINGER_MS
  t.equal(world.settle(), undefined)
  t.same(world.names, ['A'])
  t.end()
})

t.test('what a frame announced is there, whatever older lists lack it', t => {
  const world = new World()
  world.list(['A'])
  world.alive('B', true)
  t.same(world.settle(), { added: ['B'], removed: [] })
  for (let lists = 0; lists < 5; lists++) {
    world.nowMs += 10_000
    t.same(world.list(['A']), { added: [], removed: [] })
  }
  world.nowMs += LIST_AGE_MS
  for (let lists = 0; lists < 2; lists++) t.same(world.list(['A']), { added: [], removed: [] })
  t.same(world.list(['A']).removed, [{ instruments: ['B'], reason: 'not listed any more' }])
  t.end()
})

t.test('names that nobody asked for do not ask for a list again and again', t => {
  const world = new World()
  world.list(['A'])
  world.alive('E', false)
  t.ok(world.listings.needsList, 'nobody knows what it is')
  world.list(['A'])
  t.notOk(world.listings.needsList, 'a list does not have it')
  world.alive('E', false)
  t.notOk(world.listings.needsList, 'it was asked for once')
  world.alive(UNWANTED, true)
  world.alive(UNWANTED, false)
  t.notOk(world.listings.needsList, 'its definition says that it is not wanted')
  world.alive('F', false)
  world.listings.hearGone('F', 'over')
  t.notOk(world.listings.needsList, 'it is over before anybody asked')
  t.end()
})

t.test('silent and not listed three times is gone; with a frame in between the count begins anew', t => {
  const world = new World()
  world.list(['A', 'B'])
  const goes = (facts: { heard?: string[] } = {}) => world.list(['A'], facts).removed.flatMap(one => one.instruments)
  t.same(goes(), [])
  t.same(goes(), [])
  t.same(goes({ heard: ['B'] }), [])
  t.same(goes(), [])
  t.same(goes(), ['B'])
  world.nowMs += 120_000
  matchAll(t, world.list(['A', 'B']), { added: ['B'], returned: [{ instrument: 'B', awayMs: 120_000 }] })
  t.end()
})

t.test('of what was listed a while ago and never heard of, it is told how long it was not recorded', t => {
  let wallMs = 0
  const listings = new Listings<Instrument & { creation_timestamp: number }>(
    () => true,
    { isOver: () => false, expiryMsOf: () => Infinity },
    { nowMs: () => wallMs, wallMs: () => wallMs },
  )
  const born = (instrument_name: string, creation_timestamp: number) => ({ instrument_name, creation_timestamp })
  wallMs = 10_000_000
  listings.replace([born('old', 0)])
  wallMs += 600_000
  const change = listings.replace([
    born('old', 0),
    born('slow', wallMs - 400_000),
    born('fresh', wallMs - 1000),
    born('ancient', 5),
    born('ahead', wallMs + 5000),
  ])
  t.same(change.added, ['slow', 'fresh', 'ancient', 'ahead'])
  matchAll(
    t,
    change.returned,
    [{ instrument: 'slow', awayMs: 400_000 }],
    'just listed, listed long before by a list that was short, and a clock ahead are none',
  )
  t.end()
})

/** Full books of one connection: each break is told once and healed, whatever comes in between. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { BookIds } from '../../exchanges/book-chain.js'
import { BookWatch } from '../../exchanges/book-watch.js'
import { matchAll } from '../fixtures/match-all.js'
import { movedTime, type Pass } from '../fixtures/moved-time.js'
import { holds } from '../fixtures/holds.js'

const START_US = 1_795_000_000_000_000

interface Entry {
  event: string
  channel: string
  from_us: number
  to_us: number
  message?: string
}

/** One connection to an exchange that sends a snapshot on each new subscription. */
class World {
  readonly journal: Entry[] = []
  /** What was subscribed anew at once. */
  readonly asked: string[][] = []
  readonly watch: BookWatch
  readonly wanted = new Set<string>()
  readonly #startMs = performance.now()
  readonly #ids = new Map<string, number>()
  /** As long as it refuses. */
  refuses = false
  /** Snapshots that are lost on the way. */
  silent = false

  constructor() {
    this.watch = new BookWatch({
      link: {
        conn: 'd1',
        nowUs: () => this.nowUs,
        journal: (event, facts) => void this.journal.push({ event, ...facts } as unknown as Entry),
      },
      log: pino({ level: 'silent' }),
      family: 'book',
      resubscribe: (channels, ended) => {
        this.asked.push(channels)
        if (this.refuses) return Promise.reject(new Error('refused'))
        const wanted = channels.filter(channel => this.wanted.has(channel))
        ended(wanted)
        if (!this.silent) for (const channel of wanted) this.snapshot(channel)
        return Promise.resolve()
      },
    })
  }

  get nowUs(): number {
    return START_US + Math.round(1000 * (performance.now() - this.#startMs))
  }

  snapshot(channel: string): void {
    this.wanted.add(channel)
    this.#see(channel, { isSnapshot: true, changeId: this.#next(channel), prevChangeId: undefined })
  }

  /** A change that follows the last one, or of which the one before is missing. */
  change(channel: string, lacks = 0): void {
    const before = this.#ids.get(channel) ?? 0
    for (let lost = 0; lost < lacks; lost++) this.#next(channel)
    const prevChangeId = lacks > 0 ? this.#ids.get(channel) : before
    this.#see(channel, { isSnapshot: false, changeId: this.#next(channel), prevChangeId })
  }

  of(event: string, channel?: string): Entry[] {
    return this.journal.filter(entry => entry.event === event && (channel ?? entry.channel) === entry.channel)
  }

  #next(channel: string): number {
    const id = (this.#ids.get(channel) ?? 100) + 3
    this.#ids.set(channel, id)
    return id
  }

  #see(channel: string, ids: BookIds): void {
    this.watch.see(channel, ids, this.nowUs)
  }
}

async function world(run: (world: World, pass: Pass) => Promise<void>): Promise<void> {
  await movedTime(async pass => {
    const one = new World()
    await run(one, pass)
    one.watch.close()
  })
}

t.test('a break is told with its span, that book alone is begun anew, and the end of the span is told', async t => {
  await world(async (world, pass) => {
    for (const channel of ['book.A.raw', 'book.B.raw']) world.snapshot(channel)
    await pass(1000)
    world.change('book.A.raw')
    const lastUs = world.nowUs
    await pass(500)
    world.change('book.A.raw', 2)
    world.change('book.B.raw')
    const brokeUs = world.nowUs
    await pass(1000)
    t.same(world.asked, [['book.A.raw']])
    matchAll(t, world.of('book_break'), [{ channel: 'book.A.raw', instrument: 'A', from_us: lastUs, to_us: brokeUs }])
    matchAll(t, world.of('resync'), [{ channel: 'book.A.raw', from_us: lastUs }])
    t.ok((world.of('resync')[0]?.to_us ?? 0) > brokeUs)
    world.change('book.A.raw')
    await pass(60_000)
    t.equal(world.journal.length, 2, 'all is well since')
  })
})

t.test('breaks that come together are healed in one request', async t => {
  await world(async (world, pass) => {
    const channels = ['book.A.raw', 'book.B.raw', 'book.C.raw']
    for (const channel of channels) world.snapshot(channel)
    for (const channel of channels) world.change(channel, 1)
    await pass(1000)
    t.same(world.asked, [channels])
  })
})

t.test('a book that breaks again and again is begun anew ever more seldom, and soon again once it held', async t => {
  await world(async (world, pass) => {
    world.snapshot('book.A.raw')
    const startUs = world.nowUs
    for (let second = 0; second < 300; second++) {
      world.change('book.A.raw', 1)
      await pass(1000, 250)
    }
    const inAMinute = world.asked.length
    t.ok(inAMinute >= 5 && inAMinute <= 12, `asked ${inAMinute} times in ${(world.nowUs - startUs) / 1e6} s`)
    await pass(70_000, 500)
    for (let second = 0; second < 130; second++) {
      world.change('book.A.raw')
      await pass(1000, 250)
    }
    const { length } = world.asked
    world.change('book.A.raw', 1)
    await pass(1500)
    t.equal(world.asked.length, length + 1, 'at once')
  })
})

t.test('changes before any snapshot: it is waited for, then taken for lost', async t => {
  await world(async (world, pass) => {
    const fromUs = world.nowUs
    world.wanted.add('book.A.raw')
    world.change('book.A.raw')
    await pass(2500)
    t.same(world.journal, [])
    world.change('book.A.raw')
    await pass(3000)
    matchAll(t, world.of('book_break'), [{ from_us: fromUs, message: 'no snapshot came' }])
    t.same(world.asked, [['book.A.raw']])
    matchAll(t, world.of('resync'), [{ from_us: fromUs }])
  })
})

t.test('a snapshot that never comes after all is asked for again, and the span of the break stays one', async t => {
  await world(async (world, pass) => {
    world.snapshot('book.A.raw')
    const fromUs = world.nowUs
    world.silent = true
    await pass(100)
    world.change('book.A.raw', 1)
    await pass(40_000)
    t.ok(world.asked.length >= 2, `asked ${world.asked.length} times`)
    world.silent = false
    await pass(60_000)
    matchAll(t, world.of('resync'), [{ from_us: fromUs }])
  })
})

t.test('while the exchange refuses it is tried again, and no frame of the broken book counts meanwhile', async t => {
  await world(async (world, pass) => {
    world.snapshot('book.A.raw')
    world.refuses = true
    world.change('book.A.raw', 1)
    for (let second = 0; second < 10; second++) {
      world.change('book.A.raw')
      await pass(1000)
    }
    t.ok(world.asked.length > 2)
    t.same(world.of('resync'), [])
    t.equal(world.of('book_break').length, 1)
    world.refuses = false
    await pass(10_000)
    t.equal(world.of('resync').length, 1)
  })
})

t.test('a book that nobody wants any more is not asked for again; if it ever is, it begins anew', async t => {
  await world(async (world, pass) => {
    world.snapshot('book.A.raw')
    world.change('book.A.raw', 1)
    world.wanted.clear()
    await pass(120_000, 500)
    t.equal(world.asked.length, 1)
    world.snapshot('book.A.raw')
    world.change('book.A.raw')
    t.equal(world.of('book_break').length, 1)
    t.same(world.of('resync'), [], 'nobody can say that it was healed')
  })
})

t.test('the end of a connection tells of books that never had their snapshot, and of no others', async t => {
  await world(async (world, pass) => {
    world.snapshot('book.A.raw')
    world.change('book.A.raw')
    const fromUs = world.nowUs
    world.change('book.B.raw')
    await pass(1000)
    world.watch.close()
    matchAll(t, world.journal, [{ event: 'book_break', channel: 'book.B.raw', from_us: fromUs, to_us: world.nowUs }])
    await pass(60_000, 500)
    t.same(world.asked, [], 'nothing is asked on a connection that ended')
  })
})

t.test('whatever breaks and whatever is refused: spans do not overlap, and in the end every book is whole', async t => {
  const channels = ['book.A.raw', 'book.B.raw']
  const step = fc.record({
    channel: fc.constantFrom(...channels),
    lacks: fc.constantFrom(0, 0, 0, 1, 5),
    afterMs: fc.constantFrom(0, 50, 300, 2000, 20_000),
    refuses: fc.boolean(),
    silent: fc.boolean(),
  })
  await holds(
    t,
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      await world(async (world, pass) => {
        for (const channel of channels) world.snapshot(channel)
        for (const { channel, lacks, afterMs, refuses, silent } of steps) {
          Object.assign(world, { refuses, silent })
          world.change(channel, lacks)
          await pass(afterMs, 500)
        }
        Object.assign(world, { refuses: false, silent: false })
        // The longest wait between two tries, and the time in which a snapshot is awaited.
        await pass(200_000, 1000)
        for (const channel of channels) {
          const [breaks, healed] = [world.of('book_break', channel), world.of('resync', channel)]
          assert.equal(breaks.length > 0, healed.length > 0, 'what breaks is healed')
          const lastBreak = breaks.at(-1)
          if (lastBreak) assert.ok(lastBreak.to_us <= (healed.at(-1)?.to_us ?? 0))
          let doneUs = 0
          for (const { from_us: fromUs, to_us: toUs } of healed) {
            assert.ok(fromUs >= doneUs && toUs >= fromUs, 'spans in their order')
            doneUs = toUs
          }
          for (const { from_us: fromUs, to_us: toUs } of breaks)
            assert.ok(
              healed.some(span => span.from_us <= fromUs && span.to_us >= toUs),
              'each break lies in a span',
            )
          const before = world.journal.length
          world.change(channel)
          assert.equal(world.journal.length, before, 'the next change goes on')
        }
      })
    }),
    { numRuns: 25 },
  )
})

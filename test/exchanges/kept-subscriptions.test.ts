/** What every exchange's subscriptions share: what is wanted is held in the end, one piece of work after the other. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import { KeptSubscriptions } from '../../exchanges/kept-subscriptions.js'
import { matchAll } from '../fixtures/match-all.js'
import { movedTime, settled, type Pass } from '../fixtures/moved-time.js'
import { holds } from '../fixtures/holds.js'

const PASSES = 1

type Answer = 'yes' | 'passes' | 'unknown' | 'breaks'

interface Entry {
  event: string
  channels: readonly string[]
  reason?: string
  again_in_s?: number | null
}

/** An exchange that answers two channels a request, after a while. */
class Simple extends KeptSubscriptions {
  wanted = new Set<string>()
  readonly journal: Entry[]
  readonly sent: string[] = []
  readonly answers = new Map<string, Answer>()
  endBreaks = false
  updates = 0
  #underWay = 0

  constructor(journal: Entry[] = []) {
    const link = {
      conn: 'd1',
      journal: (event: string, facts: object) => void journal.push({ event, ...facts } as Entry),
      subscribed: (channels: readonly string[], facts: object = {}) =>
        void journal.push({ event: 'subscribed', channels, ...facts }),
    }
    super(link, pino({ level: 'silent' }), [PASSES])
    this.journal = journal
  }

  protected offered(): ReadonlySet<string> {
    return this.wanted
  }

  protected chunks(channels: readonly string[]): string[][] {
    return Array.from({ length: Math.ceil(channels.length / 2) }, (_, at) => channels.slice(2 * at, 2 * at + 2))
  }

  protected async subscribe(channels: readonly string[], reason?: string): Promise<void> {
    await this.#request(`+${channels.join()}`)
    const answered = (answer: Answer) => channels.filter(channel => (this.answers.get(channel) ?? 'yes') === answer)
    if (answered('breaks').length > 0) throw new Error('the connection broke')
    this.take(answered('yes'), reason)
    if (answered('passes').length > 0) this.reject(answered('passes'), 'busy', PASSES)
    if (answered('unknown').length > 0) this.reject(answered('unknown'), 'unknown')
  }

  protected async askToEnd(channels: readonly string[]): Promise<void> {
    await this.#request(`-${channels.join()}`)
    if (this.endBreaks) throw new Error('the connection broke')
  }

  protected override updated(): void {
    this.updates++
  }

  async #request(what: string): Promise<void> {
    assert.equal(this.#underWay++, 0, 'one after the other')
    this.sent.push(what)
    await new Promise(resolve => setTimeout(resolve, 10))
    this.#underWay--
  }
}

async function world(run: (kept: Simple, pass: Pass) => Promise<void>, ...wanted: string[]): Promise<void> {
  await movedTime(async pass => {
    const kept = new Simple()
    kept.wanted = new Set(wanted)
    await run(kept, pass)
    kept.close()
    const { length } = kept.sent
    await pass(4_000_000, 100_000)
    t.equal(kept.sent.length, length, 'nothing is asked on a connection that ended')
  })
}

/** An update, until all that it asks for was answered. */
async function updated(kept: Simple, pass: Pass): Promise<void> {
  const update = kept.update()
  await pass(100, 10)
  await update
}

t.test('what is wanted is taken, what is wanted no more is ended, what is held is left alone', async t => {
  await world(
    async (kept, pass) => {
      await updated(kept, pass)
      t.same([...kept.channels], ['a', 'b', 'c'])
      kept.wanted = new Set(['b', 'c', 'd'])
      const second = kept.update()
      await pass(100, 10)
      await second
      t.same([...kept.channels].sort(), ['b', 'c', 'd'])
      t.same(kept.sent, ['+a,b', '+c', '+d', '-a'], 'what comes first is not held up by what goes')
      t.same(
        kept.journal.map(({ event, channels }) => [event, channels]),
        [
          ['subscribed', ['a', 'b']],
          ['subscribed', ['c']],
          ['subscribed', ['d']],
          ['unsubscribed', ['a']],
        ],
      )
    },
    'a',
    'b',
    'c',
  )
})

t.test(
  'what changed its mind on the way is seen: wanted when it was asked for, and no more when it was answered',
  async t => {
    await world(async (kept, pass) => {
      const update = kept.update()
      await settled()
      kept.wanted = new Set()
      await pass(100, 10)
      await update
      t.same([...kept.channels], [])
      t.same(kept.sent, ['+a', '-a'])
    }, 'a')
  },
)

t.test(
  'what is refused is asked for again by itself, what passes soon and what is unknown late, others never',
  async t => {
    await world(
      async (kept, pass) => {
        kept.answers.set('busy', 'passes').set('no', 'unknown')
        const update = kept.update()
        await pass(100, 10)
        await update
        matchAll(
          t,
          kept.journal.filter(({ event }) => event === 'rejected'),
          [
            { channels: ['busy'], again_in_s: 2 },
            { channels: ['no'], again_in_s: 60 },
          ],
        )
        await pass(1800)
        t.equal(kept.sent.length, 2)
        kept.answers.delete('busy')
        await pass(500)
        t.same(kept.sent.slice(2), ['+busy'])
        await pass(70_000, 500)
        t.same(kept.sent.slice(3), ['+no'])
        await pass(8_000_000, 60_000)
        t.same(kept.sent.slice(4), ['+no', '+no', '+no'])
        t.equal(kept.journal.at(-1)?.again_in_s, null, 'and then no more')
        kept.wanted.delete('no')
        const without = kept.update()
        await pass(100, 10)
        await without
        kept.wanted.add('no')
        const again = kept.update()
        await pass(100, 10)
        await again
        t.equal(kept.sent.length, 8, 'what is wanted anew is asked for anew')
      },
      'busy',
      'no',
      'fine',
    )
  },
)

t.test('a request that broke leaves the rest to a later try, and says so to who asked', async t => {
  await world(
    async (kept, pass) => {
      kept.answers.set('c', 'breaks')
      const update = t.rejects(kept.update(), /broke/)
      await pass(100, 10)
      await update
      t.same([...kept.channels], ['a', 'b'])
      kept.answers.clear()
      await pass(5100)
      t.same([...kept.channels].sort(), ['a', 'b', 'c', 'd', 'e'])
      t.same(kept.sent, ['+a,b', '+c,d', '+c,d', '+e'])
    },
    'a',
    'b',
    'c',
    'd',
    'e',
  )
})

t.test('what a request that broke left out was never asked for again where other work came behind it', async t => {
  await world(async (kept, pass) => {
    kept.answers.set('a', 'breaks')
    const update = kept.update().catch(() => undefined)
    const other = kept.resubscribe(['gone'], 'book break')
    await pass(100, 10)
    await Promise.all([update, other])
    kept.answers.clear()
    await pass(5100)
    t.same([...kept.channels], ['a'])
  }, 'a')
})

t.test('taken anew: each is ended before it is asked for, and what nobody wants is neither', async t => {
  await world(
    async (kept, pass) => {
      await updated(kept, pass)
      kept.sent.length = 0
      kept.journal.length = 0
      const ended: string[] = []
      const work = kept.resubscribe(['a', 'gone', 'b', 'c'], 'book break', channels => {
        t.notOk(channels.some(channel => kept.channels.has(channel)))
        ended.push(...channels)
      })
      await pass(200, 10)
      await work
      t.same(kept.sent, ['-a,b', '+a,b', '-c', '+c'])
      t.same(ended, ['a', 'b', 'c'])
      const reason = 'book break'
      t.strictSame(kept.journal, [
        { event: 'unsubscribed', channels: ['a', 'b'], reason },
        { event: 'subscribed', channels: ['a', 'b'], reason },
        { event: 'unsubscribed', channels: ['c'], reason },
        { event: 'subscribed', channels: ['c'], reason },
      ])
      t.same([...kept.channels].sort(), ['a', 'b', 'c'])
    },
    'a',
    'b',
    'c',
  )
})

t.test('an end that broke: they are still held, since they may flow', async t => {
  await world(async (kept, pass) => {
    const update = kept.update()
    await pass(100, 10)
    await update
    kept.endBreaks = true
    const work = t.rejects(kept.resubscribe(['a'], 'silent'), /broke/)
    await pass(100, 10)
    await work
    t.same([...kept.channels], ['a'])
    t.same(
      kept.journal.map(({ event }) => event),
      ['subscribed'],
    )
  }, 'a')
})

t.test('whatever is wanted, refused and broken on the way: in the end what is wanted is held, and told so', async t => {
  const channel = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.record({
    wanted: fc.uniqueArray(channel),
    answer: fc.tuple(channel, fc.constantFrom<Answer>('yes', 'passes', 'unknown', 'breaks')),
    anew: fc.uniqueArray(channel, { maxLength: 2 }),
    afterMs: fc.constantFrom(0, 5, 30, 3000),
  })
  await holds(
    t,
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async steps => {
      await movedTime(async pass => {
        const kept = new Simple()
        const works: Promise<unknown>[] = []
        for (const { wanted, answer, anew, afterMs } of steps) {
          kept.wanted = new Set(wanted)
          kept.answers.set(...answer)
          works.push(kept.update().catch(() => 'broke'))
          if (anew.length > 0) works.push(kept.resubscribe(anew, 'anew').catch(() => 'broke'))
          await pass(afterMs, afterMs > 100 ? 500 : 5)
        }
        await pass(1000)
        kept.answers.clear()
        await pass(4_000_000, 100_000)
        await Promise.all(works)
        const told = new Set<string>()
        for (const { event, channels } of kept.journal)
          for (const one of channels)
            if (event === 'subscribed') told.add(one)
            else if (event === 'unsubscribed') told.delete(one)
        assert.deepEqual([...told].sort(), [...kept.channels].sort(), 'whoever reads the journal knows what is held')
        // What was refused for the last time is given up, and told so.
        const givenUp = kept.journal.flatMap(({ again_in_s, channels }) => (again_in_s === null ? channels : []))
        const without = (all: Iterable<string>) => [...all].filter(one => !givenUp.includes(one)).sort()
        assert.deepEqual(without(kept.channels), without(kept.wanted))
        kept.close()
      })
    }),
    { numRuns: 50 },
  )
})

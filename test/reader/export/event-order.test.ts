import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { EventOrder, type Processor, type TimedEvent } from '../../../reader/export/event-order.js'
import { holds } from '../../fixtures/holds.js'

interface Event extends TimedEvent {
  id: number
}

interface Emitted {
  id: number
  processor: Processor
  exchNs: bigint
  localNs: bigint
}

function ordered(events: readonly Omit<Event, 'place' | 'id'>[]) {
  const emitted: Emitted[] = []
  const order = new EventOrder<Event>(({ id, exchNs, localNs }, processor) =>
    emitted.push({ id, processor, exchNs, localNs }),
  )
  for (const [place, event] of events.entries()) order.take({ ...event, place, id: place })
  order.end()
  return { emitted, late: order.late }
}

/** Events in the order of receipt: often at one time, overtaken by up to a second. */
const received = fc
  .array(
    fc.record({
      stepNs: fc.constantFrom(0, 0, 1000, 1_000_000),
      lagNs: fc.constantFrom(1000, 1000, 5_000_000, 1_000_000_000),
      isTrade: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  .map(steps => {
    let localNs = 10_000_000_000n
    return steps.map(({ stepNs, lagNs, isTrade }) => {
      localNs += BigInt(stepNs)
      return { localNs, exchNs: localNs - BigInt(lagNs), isTrade }
    })
  })

const forExchange = ({ processor }: Emitted) => processor !== 'local'
const forLocal = ({ processor }: Emitted) => processor !== 'exchange'

t.test('each event stands once in the order of the exchange and once in that of receipt', t => {
  holds(
    t,
    fc.property(received, events => {
      const { emitted, late } = ordered(events)
      assert.equal(late, 0)
      const ids = events.map((_, id) => id)
      const exchange = emitted.filter(forExchange)
      assert.deepEqual(
        exchange.map(({ id }) => id).sort((a, b) => a - b),
        ids,
      )
      assert.deepEqual(
        emitted.filter(forLocal).map(({ id }) => id),
        ids,
        'as they were received',
      )
      for (const [at, { exchNs, id }] of exchange.entries()) {
        const before = exchange[at - 1]
        if (!before) continue
        assert.ok(before.exchNs <= exchNs, 'as the exchange made them')
        const [one, other] = [events[before.id], events[id]]
        if (before.exchNs !== exchNs || one?.isTrade === other?.isTrade) continue
        assert.ok(one?.isTrade, 'of one time, a trade comes before the change that it caused')
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('an event is heard before it is made only where a trade of the same time is put before others', t => {
  holds(
    t,
    fc.property(received, events => {
      const made = new Set<number>()
      for (const { id, processor } of ordered(events).emitted) {
        if (processor !== 'local') made.add(id)
        else if (!made.has(id)) {
          const isBefore = ({ isTrade, exchNs }: (typeof events)[number], at: number) =>
            at !== id && isTrade && exchNs === events[id]?.exchNs
          assert.ok(events.some(isBefore))
        }
      }
    }),
  )
  t.end()
})

t.test('the trade behind its change goes before it, also where nothing else was overtaken', t => {
  const at = { localNs: 10_000_000_000n, exchNs: 9_999_000_000n }
  const { emitted } = ordered([
    { ...at, isTrade: false },
    { ...at, localNs: at.localNs + 1000n, isTrade: true },
  ])
  t.same(
    emitted.map(({ id, processor }) => [id, processor]),
    [
      [0, 'local'],
      [1, 'both'],
      [0, 'exchange'],
    ],
  )
  t.end()
})

t.test('more events than are held come in the same order as few', t => {
  const count = 140_000
  const events = Array.from({ length: count }, (_, at) => {
    const localNs = BigInt(at) * 1_000_000n + 10_000_000_000n
    // Each tenth was made long before those around it.
    return { localNs, exchNs: localNs - (at % 10 === 3 ? 900_000_000n : 1000n), isTrade: at % 7 === 0 }
  })
  const { emitted, late } = ordered(events)
  t.equal(late, 0)
  const exchange = emitted.filter(forExchange)
  t.equal(exchange.length, count)
  t.ok(exchange.every(({ exchNs }, at) => at === 0 || (exchange[at - 1]?.exchNs ?? 0n) <= exchNs))
  const local = emitted.filter(forLocal)
  t.equal(local.length, count)
  t.ok(local.every(({ id }, at) => id === at))
  t.end()
})

t.test('what comes after its place was given away stands where the order is by then, and is counted', t => {
  const count = 70_000
  const events = Array.from({ length: count }, (_, at) => {
    const localNs = BigInt(at) * 10_000_000n + 10_000_000_000n
    return { localNs, exchNs: localNs - 1000n, isTrade: false }
  })
  const localNs = BigInt(count) * 10_000_000n + 10_000_000_000n
  // Ten minutes behind, of which a minute is held.
  const { emitted, late } = ordered([...events, { localNs, exchNs: localNs - 600_000_000_000n, isTrade: false }])
  t.equal(late, 1)
  const exchange = emitted.filter(forExchange)
  t.equal(exchange.length, count + 1, 'nothing is left out')
  t.ok(
    exchange.every(({ exchNs }, at) => at === 0 || (exchange[at - 1]?.exchNs ?? 0n) <= exchNs),
    'and all are in order',
  )
  t.end()
})

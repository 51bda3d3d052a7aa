/** What is asked again and again: which spans, how often, and what comes of refusals, clocks and disks. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import type { PollRecord } from '../../exchanges/adapter.js'
import { Poller, type PollerDeps, type PollRefusal } from '../../exchanges/poller.js'
import { dueMs, spansFor, type AskedSpan, type Poll } from '../../exchanges/polls.js'
import { movedTime } from '../fixtures/moved-time.js'
import { holds } from '../fixtures/holds.js'

const HOUR_MS = 3_600_000
const NOW_MS = Date.UTC(2028, 1, 29, 23, 59, 59, 500)

const history = fc.record({
  backMs: fc.integer({ min: HOUR_MS, max: 90 * 24 * HOUR_MS }),
  rowMs: fc.constantFrom(1000, 60_000, HOUR_MS, 24 * HOUR_MS),
  rowsMax: fc.integer({ min: 100, max: 4000 }),
})
/** How long ago the last answer was, by the wall clock; below 0 where that was set back meanwhile. */
const agoMs = fc.option(fc.integer({ min: -400 * 24 * HOUR_MS, max: 400 * 24 * HOUR_MS }), { nil: undefined })

t.test('spans cover all since the last answer without a hole, each fits one answer, and there is always one', t => {
  holds(
    t,
    fc.property(history, agoMs, (history, agoMs) => {
      const answeredMs = agoMs === undefined ? undefined : NOW_MS - agoMs
      const spans = spansFor({ id: 'x', everyMs: HOUR_MS, history }, answeredMs, NOW_MS)
      const [first] = spans
      assert.ok(first?.fromMs !== undefined, 'a poll that asks nothing is never answered')
      assert.equal(spans.at(-1)?.toMs, NOW_MS)
      const earliest = NOW_MS - history.backMs
      assert.ok(first.fromMs >= earliest, 'no further back than configured')
      // What was answered when the clock was ahead says nothing.
      const isKnown = answeredMs !== undefined && answeredMs <= NOW_MS
      assert.ok(first.fromMs <= Math.max(earliest, isKnown ? answeredMs : earliest), 'what is new is not left out')
      for (const [at, { fromMs = NaN, toMs }] of spans.entries()) {
        assert.ok(toMs > fromMs && toMs - fromMs <= history.rowsMax * history.rowMs)
        if (at > 0) assert.equal(fromMs, spans[at - 1]?.toMs)
      }
    }),
  )
  t.end()
})

t.test('a poll is due once in a period, and the end of the last period is the begin of the next', t => {
  holds(
    t,
    fc.property(fc.integer({ min: 60, max: 7 * 24 * HOUR_MS }), fc.nat({ max: 2e9 }), (everyMs, answered) => {
      const due = dueMs({ id: 'x', everyMs }, answered)
      assert.ok(due > answered && due - answered <= everyMs)
      assert.equal(due % everyMs, 0)
      assert.equal(dueMs({ id: 'x', everyMs }, due - 1), due)
    }),
  )
  t.end()
})

interface World {
  answered?: Record<string, number>
  refuse?: (id: string) => PollRefusal | 'broken'
  polls?: readonly Poll[]
  nowMs?: () => number
  over?: Partial<PollRecord>
}

/** A poller whose answers are kept in memory. */
function world({ answered = {}, refuse = () => undefined, polls = [], nowMs = () => NOW_MS, over = {} }: World) {
  const noted = new Map(Object.entries(answered))
  const asked: { id: string; span: AskedSpan }[] = []
  const end = new AbortController()
  let looks = 0
  const deps: PollerDeps<Poll> = {
    ask: ({ id }, span) => {
      asked.push({ id, span })
      const outcome = refuse(id)
      return outcome === undefined ? Promise.resolve() : Promise.reject(new Error(outcome))
    },
    refusalIn: error => {
      const { message } = error as Error
      return message === 'refused' || message === 'too many' ? message : undefined
    },
    progress: {
      load: () => Promise.resolve(),
      answeredMs: id => noted.get(id),
      note: (id, ms) => void noted.set(id, ms),
      keepOnly: ids => {
        for (const id of noted.keys()) if (!ids.has(id)) noted.delete(id)
      },
      save: () => Promise.resolve(),
      ...over,
    },
    log: pino({ level: 'silent' }),
    plan: () => {
      // Whoever looks without end must not hold up this test.
      if (++looks > 500) end.abort()
      return [...polls]
    },
    callsPerSecond: 20,
    nowMs,
  }
  const running = new Poller(deps).run(end.signal)
  const ids = () => asked.map(({ id }) => id)
  return { asked, ids, noted, looks: () => looks, end, running }
}

const bars: Poll = { id: 'bars', everyMs: HOUR_MS, history: { backMs: HOUR_MS, rowMs: 60_000, rowsMax: 1000 } }

t.test('a clock that was set back by more than a period stopped all other work of the recorder', async t => {
  await movedTime(async pass => {
    const { asked, noted, looks, end, running } = world({ polls: [bars], answered: { bars: NOW_MS + 5 * HOUR_MS } })
    await pass(10_000)
    end.abort()
    await pass(100)
    await running
    t.ok(looks() < 20, `looked ${looks()} times in ten seconds`)
    t.same(asked, [{ id: 'bars', span: { fromMs: NOW_MS - HOUR_MS, toMs: NOW_MS } }], 'asked for anew, once')
    t.equal(noted.get('bars'), NOW_MS)
  })
})

t.test('what is current comes before what was never asked for, and each is asked for once in its period', async t => {
  const polls: Poll[] = [
    { ...bars, id: 'never' },
    { ...bars, id: 'late' },
    { id: 'done', everyMs: HOUR_MS },
    { id: 'now', everyMs: HOUR_MS },
  ]
  await movedTime(async pass => {
    const { ids, noted, end, running } = world({
      polls,
      answered: { late: NOW_MS - 2 * HOUR_MS, done: NOW_MS - 1000, now: NOW_MS - HOUR_MS, gone: NOW_MS },
    })
    await pass(20_000)
    t.same(ids(), ['late', 'now', 'never'])
    t.notOk(noted.has('gone'), 'what is not asked for any more is forgotten')
    end.abort()
    await pass(100)
    await running
  })
})

t.test('a long past is asked for in steps, each noted: what broke off goes on where it was', async t => {
  const long: Poll = { id: 'long', everyMs: HOUR_MS, history: { backMs: 10 * HOUR_MS, rowMs: 60_000, rowsMax: 60 } }
  let answers = 0
  await movedTime(async pass => {
    const { asked, noted, end, running } = world({
      polls: [long],
      refuse: () => (++answers === 4 ? 'broken' : undefined),
    })
    await pass(400)
    t.equal(asked.length, 4)
    t.equal(noted.get('long'), asked[2]?.span.toMs, 'up to the last answer')
    await pass(100_000)
    t.equal(noted.get('long'), NOW_MS)
    t.equal(asked[4]?.span.fromMs, (asked[2]?.span.toMs ?? 0) - 2 * 60_000, 'and from its last rows on')
    end.abort()
    await pass(100)
    await running
  })
})

t.test('what is refused waits for its next period, and holds up no other', async t => {
  let now = NOW_MS
  const polls: Poll[] = [
    { id: 'expired', everyMs: HOUR_MS },
    { id: 'fine', everyMs: HOUR_MS },
  ]
  await movedTime(async pass => {
    const { ids, end, running } = world({
      polls,
      refuse: id => (id === 'expired' ? 'refused' : undefined),
      nowMs: () => now,
    })
    await pass(10_000)
    t.same(ids().sort(), ['expired', 'fine'])
    now += HOUR_MS
    await pass(10_000)
    t.same(ids().sort(), ['expired', 'expired', 'fine', 'fine'])
    end.abort()
    await pass(100)
    await running
  })
})

t.test('an exchange that asks for patience is left alone, whoever else is due', async t => {
  const polls = ['a', 'b', 'c'].map(id => ({ id, everyMs: HOUR_MS }))
  await movedTime(async pass => {
    const { ids, end, running } = world({ polls, refuse: () => 'too many' })
    await pass(29_000)
    t.equal(ids().length, 1)
    await pass(3000)
    t.equal(ids().length, 2)
    end.abort()
    await pass(100)
    await running
  })
})

t.test('a disk that gives nothing, or takes nothing, holds up no poll', async t => {
  const fails = () => Promise.reject(new Error('no disk'))
  for (const over of [{ load: fails, save: fails }, { load: () => new Promise<void>(() => undefined) }]) {
    await movedTime(async pass => {
      const { ids, end, running } = world({ polls: [{ id: 'a', everyMs: HOUR_MS }], over })
      await pass(6000)
      t.same(ids(), ['a'])
      end.abort()
      await pass(100)
      await running
    })
  }
})

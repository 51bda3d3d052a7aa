/**
 * What is made of a journal, whatever stands in it: entries doubled or missing, of runs that were killed, of clocks that were
 * set, of several exchanges and hosts at once. A failure prints its seed.
 */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { doubtsOf } from '../../../formats/journal/doubts.js'
import { journalEventOf, journalFrame, parseJournalEvent, type JournalEntry } from '../../../formats/journal/entry.js'
import { EVENTS, type EventName } from '../../../formats/journal/events.js'
import { gapsOf, spansOf } from '../../../formats/journal/gaps.js'
import { inOneLine } from '../../../formats/journal/heirs.js'
import { inOrder, type NumberedEntry } from '../../../formats/journal/read.js'
import { lastEntries, lastSignOf, openRunsOf, orderlyEndUs } from '../../../formats/journal/runs.js'
import { subscriptionsOf, type Subscription } from '../../../formats/journal/subscriptions.js'
import { without, type Span } from '../../../platform/spans.js'
import { BASE_US, drawn, entriesOf } from '../../fixtures/drawn-journal.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { holds } from '../../fixtures/holds.js'

const never = () => Infinity
const isOfBooks = (family: string) => family === 'book'
const byTime = (a: JournalEntry, b: JournalEntry) => a.recvUs - b.recvUs

t.test('a span never ends before it begins, and one that lasts is the last of what it is about', t => {
  holds(
    t,
    fc.property(drawn, drawn => {
      const entries = entriesOf(drawn)
      const lastUs = entries.at(-1)?.recvUs ?? BASE_US
      for (const told of spansOf(entries)) {
        assert.ok(Number.isFinite(told.fromUs), JSON.stringify(told))
        assert.ok(told.toUs === undefined || told.toUs >= told.fromUs, JSON.stringify(told))
        assert.ok(told.fromUs <= lastUs && (told.toUs ?? 0) <= lastUs + 5_000_000, JSON.stringify(told))
        assert.ok((told.count ?? 0) >= 0)
      }
      const idle = spansOf(entries).filter(({ kind, toUs }) => kind === 'not recording' && toUs === undefined)
      assert.ok(idle.length <= 1, 'a recorder that is gone is gone once')
      if (entries.at(-1)?.event === 'stopped') assert.equal(idle.length, 1)
      for (const doubt of doubtsOf(entries, isOfBooks)) assert.ok(doubt.sinceUs <= lastUs)
    }),
    { numRuns: 400 },
  )
  t.end()
})

t.test('where the begin of a run was lost with its segment, the pause before it lasted for ever', t => {
  const entries = (event: EventName) =>
    entriesOf([
      { us: 0, run: 'r1', event: 'stopped', detail: { reason: 'SIGTERM' } },
      { us: 5_000_000, run: 'r2', event, detail: { conn: 'd1', channels: ['book.A.100ms'] } },
      { us: 5_000_000, run: 'r2', event: 'stopped', detail: {} },
    ])
  for (const event of ['live', 'subscribed'] as const)
    t.same(
      gapsOf(entries(event)).map(({ fromUs, toUs }) => [fromUs - BASE_US, toUs && toUs - BASE_US]),
      [[0, 5_000_000], [10_000_000, undefined]], // prettier-ignore
      event,
    )
  t.end()
})

t.test('recorders know nothing of each other: what each tells comes to the same beside any other', t => {
  const sources = [['deribit', 'h1'], ['deribit', 'h2'], ['okx', 'h1']] as const // prettier-ignore
  holds(
    t,
    fc.property(fc.tuple(drawn, drawn, drawn), all => {
      const each = sources.map(([exchange, host], at) => entriesOf(all[at] ?? [], exchange, host))
      const together = each.flat().sort(byTime)
      const key = (value: unknown) => JSON.stringify(value)
      const sorted = (values: readonly unknown[]) => values.map(key).sort()
      assert.deepEqual(sorted(spansOf(together)), sorted(each.flatMap(spansOf)))
      assert.deepEqual(
        sorted(subscriptionsOf(together, never)),
        sorted(each.flatMap(own => subscriptionsOf(own, never))),
      )
      assert.deepEqual(sorted(openRunsOf(together)), sorted(each.flatMap(openRunsOf)))
      assert.deepEqual(sorted(doubtsOf(together, isOfBooks)), sorted(each.flatMap(own => doubtsOf(own, isOfBooks))))
      assert.equal(lastEntries(together).length, each.filter(own => own.length > 0).length)
    }),
    { numRuns: 150 },
  )
  t.end()
})

const isIn = (spans: readonly Span[], other: readonly Span[]) => without(spans, other).length === 0
const isDisjoint = (spans: readonly Span[]) =>
  spans.every(({ fromUs }, at) => fromUs > (spans[at - 1]?.toUs ?? -Infinity))

function checkSubscription({ spans, wanted, rejected, channel }: Subscription, entries: readonly JournalEntry[]): void {
  for (const one of [...spans, ...wanted, ...rejected]) assert.ok(one.fromUs < one.toUs, channel)
  assert.ok(isDisjoint(wanted) && isDisjoint(rejected), `${channel}: each moment once`)
  assert.ok(isIn(spans, wanted), `${channel}: what was subscribed was wanted`)
  assert.ok(
    without(rejected, spans).every((one, at) => one.fromUs === rejected[at]?.fromUs),
    'and was not refused',
  )
  const begins = entries.flatMap(({ event, recvUs }) => (event === 'subscribed' ? [recvUs] : []))
  // Of a run that took over it is the time since which it recorded.
  const since = entries.flatMap(({ event, detail }) =>
    event === 'started' && detail.since_us !== undefined ? [detail.since_us] : [],
  )
  // Two runs of which one takes over each have a connection of that name for a while.
  for (const conn of since.length > 0 ? [] : new Set(spans.map(({ conn }) => conn))) {
    const own = spans.filter(span => span.conn === conn).sort((a, b) => a.fromUs - b.fromUs)
    for (const [at, { toUs }] of own.entries())
      assert.ok(toUs <= (own[at + 1]?.fromUs ?? Infinity), `${channel} on ${conn}`)
  }
  for (const { fromUs } of spans)
    assert.ok(begins.includes(fromUs) || since.includes(fromUs), `${channel} began at ${fromUs}`)
}

t.test(
  'a channel is wanted whenever it was subscribed, on each connection once at a time, and refused at no such time',
  t => {
    holds(
      t,
      fc.property(drawn, drawn => {
        const entries = entriesOf(drawn)
        for (const subscription of subscriptionsOf(entries, never)) checkSubscription(subscription, entries)
      }),
      { numRuns: 400 },
    )
    t.end()
  },
)

t.test('entries that stand in two files come to what they come to once', t => {
  holds(
    t,
    fc.property(drawn, fc.func(fc.boolean()), (drawn, isTwice) => {
      const numbered = entriesOf(drawn).map((entry, seq): NumberedEntry => ({ ...entry, seq }))
      const doubled = numbered.flatMap(entry => (isTwice(entry.seq) ? [entry, { ...entry }] : [entry])).reverse()
      assert.deepEqual(inOrder(doubled), inOrder(numbered))
      assert.deepEqual(openRunsOf([...numbered].flatMap(entry => [entry, entry])), openRunsOf(numbered))
    }),
    { numRuns: 150 },
  )
  t.end()
})

t.test('an entry of a day’s file is of the run that began before it', t => {
  const at = (seq: number, run: string, event: string, detail: object = {}) =>
    ({ ...journalEntry({ run, recvUs: BASE_US + seq }, event, detail), seq }) as NumberedEntry
  const found = inOrder([
    at(5, '', 'paused'),
    at(1, '', 'started', { run: 'r7' }),
    at(2, '', 'paused'),
    at(4, '', 'started', { run: 'r8' }),
    at(3, 'r7', 'resumed'),
    { ...at(0, '', 'paused'), exchange: 'okx' },
  ])
  t.same(
    found.map(({ run, event }) => [run, event]),
    [['', 'paused'], ['r7', 'started'], ['r7', 'paused'], ['r7', 'resumed'], ['r8', 'started'], ['r8', 'paused']], // prettier-ignore
  )
  t.end()
})

t.test('a run that did not say that it ended lasts to the next one, and what it is last heard of ends it there', t => {
  holds(
    t,
    fc.property(drawn, drawn => {
      const entries = entriesOf(drawn)
      for (const run of openRunsOf(entries)) {
        assert.ok(run.fromUs <= run.toUs)
        const atUs = Math.min(run.toUs, entries.at(-1)?.recvUs ?? BASE_US)
        const sign = lastSignOf(run, atUs)
        assert.equal(sign.event, run.toUs === Infinity ? 'ceased' : 'heard')
        if (sign.event !== 'ceased') continue
        const gaps = gapsOf([...entries, sign])
        assert.ok(gaps.some(gap => gap.kind === 'not recording' && gap.toUs === undefined))
      }
      const end = orderlyEndUs(entries)
      const began = entries.findLastIndex(({ event }) => event === 'started')
      const isStopped = entries.slice(Math.max(0, began)).some(({ event }) => event === 'stopped')
      assert.equal(end !== undefined, isStopped)
      if (end !== undefined) assert.ok(end >= (entries[began]?.recvUs ?? -Infinity))
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('hosts that inherited from each other are one line, and no entry is lost or changed but for its host', t => {
  const inherited = fc.tuple(fc.constantFrom('h1', 'h2', 'h3'), fc.constantFrom('h1', 'h2', 'h3', 'h4'))
  holds(
    t,
    fc.property(fc.tuple(drawn, drawn), fc.array(inherited, { maxLength: 4 }), ([one, other], heirs) => {
      const told = heirs.map(([host, of], at) =>
        journalEntry({ host, recvUs: BASE_US + at }, 'inherited', { exchange: 'deribit', host: of, segments: 1 }),
      )
      const entries = [...entriesOf(one, 'deribit', 'h1_abcd1234'), ...entriesOf(other, 'deribit', 'h2'), ...told].sort(
        byTime,
      )
      const line = inOneLine(entries)
      const nameless = (all: readonly JournalEntry[]) => all.map(entry => JSON.stringify({ ...entry, host: '' })).sort()
      assert.deepEqual(nameless(line), nameless(entries))
      assert.deepEqual(line, [...line].sort(byTime), 'in the order of time')
      const hostNow = new Map(entries.map(entry => [entry.host.split('_')[0] ?? '', '']))
      for (const { host, event, detail } of line)
        if (event === 'inherited') {
          hostNow.set(detail.host ?? '', host)
        }
      // Whoever is told of by an heir has its name, from the first entry on.
      for (const entry of line) if (hostNow.get(entry.host)) assert.equal(hostNow.get(entry.host), entry.host)
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('an event that is written is read as it was, and anything else without a word of what it is not', t => {
  const names = Object.keys(EVENTS) as EventName[]
  const junk = fc.anything({ withBigInt: false, withMap: false, withSet: false, withDate: false })
  const facts = fc.dictionary(
    fc.constantFrom(...names.flatMap(name => Object.keys({ ...EVENTS[name].must, ...EVENTS[name].may }))),
    junk,
  )
  holds(
    t,
    fc.property(fc.oneof(fc.constantFrom(...names), fc.string()), facts, (event, facts) => {
      const read = journalEventOf({ ...facts, event })
      assert.ok(read, 'an event of a later version says that the run lived')
      const isKnown = Object.hasOwn(EVENTS, event) && EVENTS[event as EventName].by !== 'nobody'
      assert.equal(read.event, isKnown ? event : 'heard')
      const again = journalEventOf({ ...read.detail, event: read.event })
      assert.deepEqual(again?.detail, read.event === 'heard' ? {} : read.detail, 'what was read is what is written')
      for (const value of Object.values(read.detail)) assert.notEqual(value, undefined)
    }),
    { numRuns: 500 },
  )
  holds(
    t,
    fc.property(fc.string(), text => assert.doesNotThrow(() => parseJournalEvent(text))),
  )
  holds(
    t,
    fc.property(fc.json(), text => assert.doesNotThrow(() => parseJournalEvent(text))),
  )
  const written = journalFrame('gap', { conn: 'd1', from_us: 1, to_us: 2, cause: 'x "y"', families: ['trades'] })
  for (let at = 0; at < written.length; at++)
    if (parseJournalEvent(written.slice(0, at)) !== undefined) t.fail(`cut at ${at}`)
  t.match(parseJournalEvent(written), { event: 'gap', detail: { cause: 'x "y"' } })
  t.end()
})

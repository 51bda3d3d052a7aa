import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { keyOf, type Account, type StateSpan } from '../../../coverage/account/account.js'
import { accountOf } from '../../../coverage/account/account-of.js'
import type { AccountFacts } from '../../../coverage/account/facts.js'
import { mergeAccounts } from '../../../coverage/account/merge.js'
import type { JournalEntry } from '../../../formats/journal/entry.js'
import { gapsOf } from '../../../formats/journal/gaps.js'
import type { Span } from '../../../platform/spans.js'
import { CHANNELS, exchange, FAMILIES, S } from '../../fixtures/accounted-channels.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { holds } from '../../fixtures/holds.js'

const HOUR = 3600 * S
const DAY: Span = { fromUs: 0, toUs: 24 * HOUR }

const conn = fc.constantFrom('d1', 'd2')
const channels = fc.subarray(CHANNELS, { minLength: 1 })
const instrument = fc.constantFrom('BTC-PERPETUAL', 'BTC-27NOV26-60000-C')
const span = (atUs: number) =>
  fc.integer({ min: 1, max: 3 * 3600 }).map(s => ({ from_us: Math.max(0, atUs - s * S), to_us: atUs }))

const eventAt = (atUs: number): fc.Arbitrary<[string, object]> =>
  fc.oneof(
    fc.constant<[string, object]>(['started', {}]),
    fc.constant<[string, object]>(['stopped', { reason: 'test' }]),
    fc.tuple(conn, channels).map(([conn, channels]): [string, object] => ['subscribed', { conn, channels }]),
    fc.tuple(conn, channels).map(([conn, channels]): [string, object] => ['unsubscribed', { conn, channels }]),
    fc
      .tuple(conn, channels)
      .map(([conn, channels]): [string, object] => ['rejected', { conn, channels, message: 'no' }]),
    conn.map((conn): [string, object] => ['connected', { conn }]),
    conn.map((conn): [string, object] => ['live', { conn, channels: 1 }]),
    fc
      .tuple(conn, fc.boolean())
      .map(([conn, before]): [string, object] => [
        'disconnected',
        { conn, cause: 'reset', ...(before && { before_live: true }) },
      ]),
    fc
      .tuple(conn, fc.subarray(FAMILIES), span(atUs))
      .map(([conn, families, bounds]): [string, object] => ['gap', { conn, families, cause: 'reset', ...bounds }]),
    fc
      .tuple(conn, fc.constantFrom(...FAMILIES), span(atUs))
      .map(([conn, family, bounds]): [string, object] => [
        'silent',
        { conn, family, cause: 'nothing came', ...bounds },
      ]),
    fc
      .tuple(conn, fc.constantFrom(...CHANNELS), span(atUs))
      .map(([conn, channel, bounds]): [string, object] => [
        'silent',
        { conn, family: channel.split('.')[0], channels: [channel], cause: 'nothing came', ...bounds },
      ]),
    span(atUs).map((bounds): [string, object] => ['stood_still', bounds]),
    fc
      .tuple(fc.constantFrom(...FAMILIES), span(atUs))
      .map(([channel, bounds]): [string, object] => [
        'lost',
        { channel, frames: 3, cause: 'the disk was full', ...bounds },
      ]),
    fc
      .tuple(conn, fc.constantFrom(...FAMILIES), span(atUs))
      .map(([conn, family, bounds]): [string, object] => ['not_whole', { conn, family, frames: 3, ...bounds }]),
    fc
      .tuple(conn, span(atUs))
      .map(([conn, bounds]): [string, object] => [
        'book_break',
        { conn, channel: CHANNELS[0], instrument: 'BTC-PERPETUAL', ...bounds },
      ]),
    fc
      .tuple(conn, span(atUs))
      .map(([conn, bounds]): [string, object] => [
        'resync',
        { conn, channel: CHANNELS[0], instrument: 'BTC-PERPETUAL', ...bounds },
      ]),
    fc
      .tuple(instrument, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 0, max: 9 }), span(atUs))
      .map(([instrument, from, more, bounds]): [string, object] => [
        'trade_hole',
        { instrument, from_seq: from, to_seq: from + more, cause: 'numbers', ...bounds },
      ]),
    fc
      .tuple(
        instrument,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom('filled', 'partly'),
      )
      .map(([instrument, from, more, outcome]): [string, object] => [
        'backfill',
        { instrument, from_seq: from, to_seq: from + more, trades: 1, outcome },
      ]),
    span(atUs).map((bounds): [string, object] => [
      'compared',
      { scopes: ['perpetual BTC', 'option BTC'], trades: 10, ...bounds },
    ]),
  )

/** A journal of a recorder, as no recorder would write it: in any order. */
const journal = (host: string): fc.Arbitrary<JournalEntry[]> =>
  fc
    .array(
      fc.integer({ min: 0, max: 24 * 3600 - 1 }).chain(s => eventAt(s * S).map(told => ({ us: s * S, told }))),
      { maxLength: 40 },
    )
    .map(list => {
      let run = 'r0'
      return list
        .sort((a, b) => a.us - b.us)
        .map(({ us, told: [event, detail] }, i) => {
          if (event === 'started') run = `r${i}`
          return journalEntry({ host, run, recvUs: us }, event, detail)
        })
    })

const facts = (host: string): fc.Arbitrary<AccountFacts> =>
  fc.tuple(journal(host), fc.boolean()).map(([entries, lives]) => ({
    exchange,
    entries,
    signs: [],
    alive: new Set(lives ? [host] : []),
    vanished: [],
    nowUs: DAY.toUs,
  }))

function spansByChannel({ groups }: Account): Map<string, readonly StateSpan[]> {
  return new Map(groups.flatMap(({ spans, channels }) => channels.map(channel => [keyOf(channel), spans] as const)))
}

t.test('spans never overlap, never leave a hole, and are all of the time asked for', async t => {
  holds(
    t,
    fc.property(
      facts('h1'),
      fc.integer({ min: 0, max: 23 }),
      fc.integer({ min: 1, max: 24 }),
      (given, from, length) => {
        const window = { fromUs: from * HOUR, toUs: Math.min(24, from + length) * HOUR }
        for (const { spans } of accountOf(given, window).groups) {
          let endUs = window.fromUs
          for (const { fromUs, toUs } of spans) {
            if (fromUs !== endUs || toUs <= fromUs) throw new Error(`${fromUs} behind ${endUs}`)
            endUs = toUs
          }
          if (endUs !== window.toUs) throw new Error(`ends at ${endUs}`)
        }
      },
    ),
    { numRuns: 200 },
  )
})

t.test('of two accounts it does not matter which is named first, nor how three are put together', async t => {
  holds(
    t,
    fc.property(facts('h1'), facts('h2'), facts('h3'), (a, b, c) => {
      const [one, two, three] = [a, b, c].map(given => accountOf(given, DAY))
      if (!one || !two || !three) throw new Error('no account')
      const same = (x: Account, y: Account) =>
        JSON.stringify([...spansByChannel(x)].sort()) === JSON.stringify([...spansByChannel(y)].sort())
      if (!same(mergeAccounts(one, two), mergeAccounts(two, one))) throw new Error('order matters')
      const left = mergeAccounts(mergeAccounts(one, two), three)
      if (!same(left, mergeAccounts(one, mergeAccounts(two, three)))) throw new Error('grouping matters')
      if (!same(mergeAccounts(one, one), one)) throw new Error('one account twice is another')
    }),
    { numRuns: 100 },
  )
})

t.test('asked hour by hour it says what it says of the whole day', async t => {
  holds(
    t,
    fc.property(facts('h1'), given => {
      const day = spansByChannel(accountOf(given, DAY))
      for (let hour = 0; hour < 24; hour++) {
        const window = { fromUs: hour * HOUR, toUs: (hour + 1) * HOUR }
        const own = spansByChannel(accountOf(given, window))
        for (const [key, spans] of day) {
          const inside = spans
            .map(one => ({
              ...one,
              fromUs: Math.max(one.fromUs, window.fromUs),
              toUs: Math.min(one.toUs, window.toUs),
            }))
            .filter(({ fromUs, toUs }) => fromUs < toUs)
          const isUnwanted = inside.every(({ state, cause }) => state === 'not recording' && cause === undefined)
          const found = own.get(key)
          if (found === undefined ? !isUnwanted : JSON.stringify(found) !== JSON.stringify(inside))
            throw new Error(`${key} in hour ${hour}: ${JSON.stringify(found)} not ${JSON.stringify(inside)}`)
        }
      }
    }),
    { numRuns: 60 },
  )
})

/** What a recorder lives through, s: it is stopped for a while, then records, with outages in between. */
interface Life {
  idleS: number
  outages: readonly { upS: number; downS: number; unseenS: number }[]
  upS: number
  /** It is killed so long after a last outage began, and cannot say that. */
  killedS: number | undefined
}
const life: fc.Arbitrary<Life> = fc.record({
  idleS: fc.integer({ min: 1, max: 50 }),
  outages: fc.array(
    fc.record({
      upS: fc.integer({ min: 10, max: 60 }),
      downS: fc.integer({ min: 1, max: 30 }),
      // The last frame came so long before the end of the connection was noticed.
      unseenS: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 4 },
  ),
  upS: fc.integer({ min: 1, max: 60 }),
  killedS: fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined }),
})
type Bounds = readonly [fromS: number, toS: number]

/** The journal of such lives, and by the simplest bookkeeping when it recorded and when nothing came. */
function livedThrough(lives: readonly Life[]) {
  const conn = 'd1'
  const entries: JournalEntry[] = []
  const [runs, down]: [Bounds[], Bounds[]] = [[], []]
  let atS = 0
  for (const [number, { idleS, outages, upS, killedS }] of lives.entries()) {
    const tell = (event: string, detail: object = {}) =>
      entries.push(journalEntry({ run: `r${number}`, recvUs: atS * S }, event, detail))
    const comesUp = () => {
      tell('subscribed', { conn, channels: CHANNELS })
      tell('live', { conn, channels: CHANNELS.length })
    }
    atS += idleS
    const startedS = atS
    tell('started')
    comesUp()
    for (const { upS, downS, unseenS } of outages) {
      atS += upS
      tell('disconnected', { conn, cause: 'reset' })
      const fromS = atS - unseenS
      atS += downS
      comesUp()
      down.push([fromS, atS])
      tell('gap', { conn, families: FAMILIES, cause: 'reset', from_us: fromS * S, to_us: atS * S })
    }
    atS += upS
    // The last word of the last run is what was compared.
    const isLast = number === lives.length - 1
    if (killedS !== undefined && !isLast) {
      tell('disconnected', { conn, cause: 'reset' })
      down.push([atS, atS + killedS])
      atS += killedS
      tell('clock', { offset_us: 0, drift_us: 0 })
    } else if (!isLast) tell('stopped', { reason: 'test' })
    runs.push([startedS, atS])
  }
  return { entries, runs, down, endS: atS }
}
const isIn = (spans: readonly Bounds[], s: number) => spans.some(([fromS, toS]) => s > fromS && s < toS)

t.test('random outages and heals: at each second it says what the simplest bookkeeping says', async t => {
  const asked = fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 200 })), { maxLength: 4 })
  holds(
    t,
    fc.property(fc.array(life, { minLength: 1, maxLength: 3 }), asked, (lives, asked) => {
      const { entries, runs, down, endS } = livedThrough(lives)
      const compared = asked.map(([fromS, forS]): Bounds => [fromS, Math.min(endS, fromS + forS)])
      const run = `r${lives.length - 1}`
      for (const [fromS, toS] of compared)
        if (fromS < toS)
          entries.push(
            journalEntry({ run, recvUs: endS * S }, 'compared', {
              ...{ scopes: ['perpetual BTC', 'option BTC'], from_us: fromS * S, to_us: toS * S },
            }),
          )
      entries.push(journalEntry({ run, recvUs: endS * S }, 'stopped', { reason: 'test' }))
      const window = { fromUs: 0, toUs: (endS + 20) * S }
      const facts = { exchange, entries, signs: [], alive: new Set<string>(), vanished: [], nowUs: window.toUs }
      const { groups } = accountOf(facts, window)
      const stateOf = (family: string, s: number) =>
        groups
          .find(({ channels }) => channels.some(one => one.family === family && one.about === 'BTC-PERPETUAL'))
          ?.spans.find(({ fromUs, toUs }) => s * S >= fromUs && s * S < toUs)?.state
      const firstS = runs[0]?.[0] ?? 0
      const gaps = gapsOf(entries).map(({ fromUs, toUs = Infinity }): Bounds => [fromUs / S, toUs / S])
      for (let s = 0.5; s < endS + 20; s++) {
        const told = !isIn(runs, s) ? 'not recording' : isIn(down, s) ? 'missing' : 'recorded'
        const isHealed = told !== 'recorded' && s > firstS && s < endS && isIn(compared, s)
        assert.equal(stateOf('quote', s), told, `quote at ${s}`)
        assert.equal(stateOf('trades', s), isHealed ? 'healed' : told, `trades at ${s}`)
        if (s > firstS) assert.equal(isIn(gaps, s), told !== 'recorded', `gap at ${s}`)
      }
    }),
    { numRuns: 100 },
  )
})

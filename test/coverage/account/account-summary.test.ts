/** What people and programs are told of an account, by hour, instrument or channel: it adds up, fits, and reads back. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { accountJson, accountMarkdown, accountText } from '../../../cli/coverage/account-text.js'
import { isLost, isWanted, type Account, type Channel, type StateSpan } from '../../../coverage/account/account.js'
import { summaryOf, type AccountSummary, type Line } from '../../../coverage/account/account-summary.js'
import { Timeline, type Said } from '../../../coverage/account/timeline.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { gapRows } from '../../../coverage/account/rows.js'
import { clip, lengthUs, unionOf, type Span } from '../../../platform/spans.js'
import { holds } from '../../fixtures/holds.js'

const MINUTE = 60_000_000
/** Begins and ends within an hour, over midnight. */
const window = { fromUs: Date.UTC(2026, 11, 31, 21, 17) * 1000, toUs: Date.UTC(2027, 0, 1, 2, 41) * 1000 }
const MINUTES = (window.toUs - window.fromUs) / MINUTE

const CAUSES = [
  'an outage',
  'the exchange said: too | many\nrequests, come back later',
  'a'.repeat(100),
  'connection reset by the exchange, which said nothing of why it did so, though it was asked twice',
]
const said: fc.Arbitrary<Said> = fc.oneof(
  fc.constantFrom<Said>({ state: 'recorded', grade: 'watched' }, { state: 'not recording', grade: 'claimed' }),
  fc.record({
    state: fc.constantFrom('missing', 'healed', 'not yet known', 'not recording'),
    grade: fc.constantFrom('exact', 'watched'),
    cause: fc.constantFrom(...CAUSES),
  }),
)
const part = fc.tuple(fc.nat({ max: MINUTES }), fc.nat({ max: MINUTES })).map(([a, b]): Span => ({
  fromUs: window.fromUs + Math.min(a, b) * MINUTE,
  toUs: window.fromUs + Math.max(a, b) * MINUTE,
}))
const line = fc.array(fc.tuple(part, said), { maxLength: 8 }).map(strokes => {
  const line = new Timeline(window, { state: 'recorded', grade: 'watched' })
  for (const [span, said] of strokes) line.paint([span], said)
  return line.within(window)
})
const channel: fc.Arbitrary<Channel> = fc
  .record({
    exchange: fc.constantFrom('deribit', 'okx'),
    family: fc.constantFrom('trades', 'book', 'ticker'),
    kind: fc.constantFrom<Channel['kind']>('option', 'perpetual', 'spot'),
    about: fc.constantFrom(
      'BTC-PERPETUAL',
      'ETH-27NOV26-4000-C',
      'a name that is much longer than any column of a terminal',
    ),
  })
  .map(facts => ({ ...facts, isWhole: false }))
const account: fc.Arbitrary<Account> = fc
  .tuple(
    fc.uniqueArray(channel, { minLength: 1, maxLength: 8, selector: one => JSON.stringify(one) }),
    fc.array(line, { minLength: 8, maxLength: 8 }),
    fc.array(
      fc.record({
        exchange: fc.constantFrom('deribit', 'okx'),
        name: fc.constantFrom('X', 'Y'),
        reason: fc.constant('closed'),
      }),
      { maxLength: 5 },
    ),
  )
  .map(([channels, lines, notOffered]) => ({
    window,
    groups: channels.map((channel, at) => ({ spans: lines[at] ?? [], channels: [channel] })),
    notOffered,
    trades: [],
  }))

const sums = (lines: readonly Line[]) => {
  const of = (what: 'wantedUs' | 'lostUs' | 'healedUs' | 'pendingUs') =>
    lines.reduce((sum, line) => sum + line[what], 0)
  return { wantedUs: of('wantedUs'), lostUs: of('lostUs'), healedUs: of('healedUs'), pendingUs: of('pendingUs') }
}
const sumsOf = (told: AccountSummary, keyOf: (line: Line) => string) => {
  const keys = [...new Set([...told.lines].map(keyOf))].sort()
  return keys.map(key => [key, sums([...told.lines].filter(line => keyOf(line) === key))])
}

t.test('by hour, instrument or channel the same time is told, in smaller parts', t => {
  holds(
    t,
    fc.property(account, account => {
      const whole = summaryOf(account, exchangeNamed)
      const [hour, instrument, channel] = (['hour', 'instrument', 'channel'] as const).map(by =>
        summaryOf(account, exchangeNamed, by),
      )
      const sort = ({ exchange, family, kind }: Line) => `${exchange} ${family} ${kind}`
      assert.deepEqual(sumsOf(hour ?? assert.fail(), sort), sumsOf(whole, sort))
      assert.deepEqual(sumsOf(channel ?? assert.fail(), sort), sumsOf(whole, sort))
      const kind = ({ exchange, kind }: Line) => `${exchange} ${kind}`
      assert.deepEqual(sumsOf(instrument ?? assert.fail(), kind), sumsOf(whole, kind))
      const spans = account.groups.flatMap(({ spans, channels }) => channels.flatMap(() => spans))
      assert.equal(sums(whole.lines).lostUs, lengthUs(spans.filter(isLost)))
      for (const line of hour?.lines ?? [])
        assert.ok((line.hourUs ?? 0) >= window.fromUs && (line.hourUs ?? 0) < window.toUs)
      for (const told of [hour, instrument, channel]) assert.deepEqual({ ...told, lines: [] }, { ...whole, lines: [] })
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('each loss is told once, of all whom it concerned, the longest first; nothing else is', t => {
  holds(
    t,
    fc.property(account, account => {
      const { losses, lostUs, wanted, channels } = summaryOf(account, exchangeNamed)
      const lost = account.groups.flatMap(({ spans, channels }) =>
        spans.filter(isLost).map(span => ({ span, channel: channels[0] })),
      )
      assert.equal(lostUs, lengthUs(unionOf(lost.map(({ span }) => span))))
      for (const { span, channel } of lost) {
        const told = losses.filter(
          one =>
            one.fromUs <= span.fromUs && one.toUs >= span.toUs && one.cause === span.cause && one.state === span.state,
        )
        assert.equal(told.length, 1, 'in one event')
        assert.ok(channel && told[0]?.channels.includes(channel))
      }
      for (const loss of losses) {
        const own = lost.filter(({ span }) => span.cause === loss.cause && span.state === loss.state)
        assert.equal(loss.lostUs, lengthUs(clip(unionOf(own.map(({ span }) => span)), loss)))
      }
      for (const [at, loss] of losses.entries()) assert.ok(loss.lostUs <= (losses[at - 1]?.lostUs ?? Infinity))
      const anyWanted = (spans: readonly StateSpan[]) => spans.some(isWanted)
      assert.equal(channels, account.groups.filter(({ spans }) => anyWanted(spans)).length)
      assert.equal(lengthUs(wanted), lengthUs(unionOf(account.groups.flatMap(({ spans }) => spans.filter(isWanted)))))
      const rows = [...gapRows(account, exchangeNamed)].filter(
        ({ state, cause }) => state === 'missing' || (state === 'not recording' && cause !== undefined),
      )
      assert.equal(
        rows.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0),
        lengthUs(lost.map(({ span }) => span)),
      )
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('what the exchange said stands in one line of a terminal or a document, whatever signs are in it', t => {
  const by = fc.constantFrom(undefined, 'hour', 'instrument', 'channel')
  holds(
    t,
    fc.property(account, by, fc.integer({ min: 60, max: 120 }), (account, by, width) => {
      const told = summaryOf(account, exchangeNamed, by)
      for (const line of accountText(told, undefined, width).split('\n'))
        assert.ok(
          line.length <= width || !/\S \S/.test(line.trim()) || /a{100}/.test(line),
          `${line.length} of ${width}: ${line}`,
        )
      const markdown = [...accountMarkdown(told)].map(String).join('\n')
      const rows = markdown.split('\n').filter(line => line.startsWith('|'))
      const columns = (row: string) => row.replaceAll('\\|', '').split('|').length
      for (const row of rows) assert.equal(columns(row), columns(rows[0] ?? ''), row)
      const [sentence = ''] = markdown.split('\n')
      assert.match(sentence, /^\*\*.*\.\*\*$/)
      const losses = markdown.split('\n').filter(line => line.startsWith('- '))
      assert.equal(losses.length, Math.min(10, told.losses.length))
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('programs read all of it, in seconds and µs, as it was told', t => {
  holds(
    t,
    fc.property(account, account => {
      const told = summaryOf(account, exchangeNamed, 'channel')
      const text = [...accountJson(told, account)].map(String).join('\n')
      const read = JSON.parse(text) as Record<string, unknown> & {
        missing: { from_us: number; seconds: number; cause: string }[]
        lines: { missing_seconds: number }[]
      }
      assert.deepEqual(read['groups'], account.groups)
      assert.equal(read['complete'], told.isComplete)
      assert.equal(read['missing_seconds'], told.lostUs / 1e6)
      assert.equal(read['from'], '2026-12-31T21:17:00Z')
      assert.deepEqual(
        read.missing.map(({ from_us, seconds, cause }) => [from_us, seconds, cause]),
        told.losses.map(({ fromUs, lostUs, cause }) => [fromUs, lostUs / 1e6, cause]),
      )
      assert.deepEqual(
        read.lines.map(line => line.missing_seconds),
        told.lines.map(({ lostUs }) => lostUs / 1e6),
      )
    }),
    { numRuns: 40 },
  )
  t.end()
})

/** Lines of time that are painted over and merged, and what is told of them, against the moments that they stand for. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Account, Channel, Grade, State, StateSpan } from '../../../coverage/account/account.js'
import { claimed, type Claim } from '../../../coverage/account/claims.js'
import { mergeAccounts } from '../../../coverage/account/merge.js'
import { AccountOverTime } from '../../../coverage/account/over-time.js'
import { Compared } from '../../../coverage/account/proofs.js'
import { Targets } from '../../../coverage/account/targets.js'
import { summaryOf } from '../../../coverage/account/account-summary.js'
import { mergedSpans, Timeline, type Said } from '../../../coverage/account/timeline.js'
import { channelsText, lengthText, sentenceOf, shareText, timeText } from '../../../coverage/account/wording.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { lengthUs, type Span } from '../../../platform/spans.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { holds } from '../../fixtures/holds.js'

const LAST = 30
const span = fc
  .tuple(fc.nat({ max: LAST }), fc.nat({ max: LAST }))
  .map(([a, b]): Span => ({ fromUs: Math.min(a, b), toUs: Math.max(a, b) }))
const said: fc.Arbitrary<Said> = fc.oneof(
  fc.record({
    state: fc.constantFrom<State>('recorded', 'not recording'),
    grade: fc.constantFrom<Grade>('exact', 'watched', 'claimed'),
  }),
  fc.record({
    state: fc.constantFrom<State>('missing', 'healed', 'not yet known', 'not recording'),
    grade: fc.constantFrom<Grade>('exact', 'watched'),
    cause: fc.constantFrom('an outage', 'silence'),
  }),
)
const window = { fromUs: 0, toUs: LAST }
const wordOf = ({ state, grade, cause, proof }: Said) => [state, grade, cause ?? '', proof ?? ''].join(' ')

/** What is said of each moment; undefined where nothing is. */
function momentsOf(spans: readonly StateSpan[]): (string | undefined)[] {
  return Array.from({ length: LAST }, (_, us) => {
    const here = spans.filter(({ fromUs, toUs }) => fromUs <= us && us < toUs)
    assert.ok(here.length <= 1, 'one word on each moment')
    return here[0] && wordOf(here[0])
  })
}

function checkLine(spans: readonly StateSpan[]): void {
  for (const [at, one] of spans.entries()) {
    const before = spans[at - 1]
    assert.ok(one.fromUs < one.toUs)
    if (!before) continue
    assert.ok(before.toUs <= one.fromUs)
    if (before.toUs === one.fromUs) assert.notEqual(wordOf(before), wordOf(one), 'neighbours that say the same are one')
  }
}

const strokes = fc.array(
  fc.record({ spans: fc.array(span, { maxLength: 4 }), said, over: fc.constantFrom(undefined, 'recorded', 'missing') }),
  { maxLength: 8 },
)

function painted(strokes: readonly { spans: readonly Span[]; said: Said; over: string | undefined }[]): StateSpan[] {
  const line = new Timeline(window, { state: 'not recording', grade: 'claimed' })
  for (const { spans, said, over } of strokes)
    line.paint(spans, said, over === undefined ? undefined : ({ state }) => state === over)
  return line.within(window)
}

t.test('what is painted last is said of a moment, where it may be painted', t => {
  holds(
    t,
    fc.property(strokes, span, (strokes, part) => {
      const model: Said[] = Array.from({ length: LAST }, () => ({ state: 'not recording', grade: 'claimed' }))
      for (const { spans, said, over } of strokes) {
        const before = [...model]
        for (const { fromUs, toUs } of spans)
          for (let us = fromUs; us < toUs; us++) if (over === undefined || before[us]?.state === over) model[us] = said
      }
      const spans = painted(strokes)
      checkLine(spans)
      assert.deepEqual(momentsOf(spans), model.map(wordOf), 'each moment has a word')
      const line = new Timeline(window, { state: 'not recording', grade: 'claimed' })
      for (const { spans, said, over } of strokes)
        line.paint(spans, said, over === undefined ? undefined : ({ state }) => state === over)
      assert.deepEqual(momentsOf(line.within(part)), momentsOf(spans).map((word, us) => (us >= part.fromUs && us < part.toUs ? word : undefined))) // prettier-ignore
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('of several accounts the best word counts at each moment, however they are put together', t => {
  const part = fc.tuple(strokes, span).map(([strokes, { fromUs, toUs }]) =>
    painted(strokes).flatMap(one => {
      const cut = { ...one, fromUs: Math.max(one.fromUs, fromUs), toUs: Math.min(one.toUs, toUs) }
      return cut.fromUs < cut.toUs ? [cut] : []
    }),
  )
  holds(
    t,
    fc.property(part, part, part, (a, b, c) => {
      const merged = mergedSpans(a, b)
      checkLine(merged)
      assert.deepEqual(mergedSpans(b, a), merged)
      assert.deepEqual(mergedSpans(a, a), a)
      assert.deepEqual(mergedSpans(a, []), a)
      assert.deepEqual(mergedSpans(merged, c), mergedSpans(a, mergedSpans(b, c)))
      const [one, other] = [momentsOf(a), momentsOf(b)]
      for (const [us, word] of momentsOf(merged).entries()) {
        assert.ok(word === one[us] || word === other[us], 'one of the two')
        const words = [one[us], other[us]].filter(word => word !== undefined)
        if (words.some(word => word.startsWith('recorded'))) assert.match(word ?? '', /^recorded/)
        if (words.length > 0 && words.every(word => word.startsWith('missing'))) assert.match(word ?? '', /^missing/)
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

const channel = (about: string): Channel => ({
  exchange: 'deribit',
  family: 'trades',
  kind: 'option',
  about,
  isWhole: false,
})
const accountOf = (lines: ReadonlyMap<string, readonly StateSpan[]>, within: Span): Account => ({
  window: within,
  groups: [...lines].map(([about, spans]) => ({ spans, channels: [channel(about)] })),
  notOffered: [],
  trades: [],
})

t.test(
  'what is told adds up: lost, healed and pending are parts of what was wanted, and a share is never too large',
  t => {
    holds(
      t,
      fc.property(fc.array(strokes, { minLength: 1, maxLength: 4 }), all => {
        const lines = new Map(all.map((strokes, at) => [`A${at}`, painted(strokes)]))
        const told = summaryOf(accountOf(lines, window), exchangeNamed)
        const wantedUs = lengthUs(told.wanted)
        assert.ok(told.lostUs <= wantedUs)
        assert.equal(told.isComplete, !told.isEmpty && told.losses.length === 0 && told.lostUs === 0)
        for (const { lostUs, fromUs, toUs, channels } of [...told.losses, ...told.healed, ...told.pending])
          assert.ok(lostUs > 0 && lostUs <= toUs - fromUs && channels.length > 0)
        for (const line of told.lines) {
          assert.ok(line.lostUs + line.healedUs <= line.wantedUs)
          if (line.complete !== undefined) assert.ok(line.complete >= 0 && line.complete <= 1)
          if (line.lostUs > 0) assert.ok((line.complete ?? 0) < 1, 'nothing that is missing is rounded away')
        }
        assert.match(sentenceOf(told), /^(?:Complete|Incomplete|Nothing|Files say).*\.$/)
        if (told.losses.length > 0) assert.doesNotMatch(sentenceOf(told), /^Complete:/)
        // Put together from parts, and from itself, it is the same.
        const over = new AccountOverTime()
        for (const [fromUs, toUs] of [
          [0, 11],
          [11, 12],
          [12, LAST],
        ] as const) {
          // prettier-ignore
          const parts = new Map([...lines].map(([about, spans]) => [about, spans.flatMap(one => {
          const cut = { ...one, fromUs: Math.max(fromUs, one.fromUs), toUs: Math.min(toUs, one.toUs) }
          return cut.fromUs < cut.toUs ? [cut] : []
        })]))
          over.add(accountOf(parts, { fromUs, toUs }))
        }
        const whole = over.within(window)
        for (const { spans, channels } of whole.groups)
          for (const { about } of channels) assert.deepEqual(momentsOf(spans), momentsOf(lines.get(about) ?? []))
        const itself = mergeAccounts(accountOf(lines, window), accountOf(lines, window))
        assert.equal(summaryOf(itself, exchangeNamed).lostUs, told.lostUs)
      }),
      { numRuns: 150 },
    )
    t.end()
  },
)

t.test('what came between two losses of one event was counted as lost', t => {
  const SECOND = 1_000_000
  const within = { fromUs: 0, toUs: 600 * SECOND }
  const line = new Timeline(within, { state: 'recorded', grade: 'watched' })
  const blips = Array.from({ length: 300 }, (_, at) => ({ fromUs: 2 * at * SECOND, toUs: (2 * at + 1) * SECOND }))
  line.paint(blips, { state: 'missing', grade: 'watched', cause: 'flapping' })
  const told = summaryOf(accountOf(new Map([['A', line.within(within)]]), within), exchangeNamed)
  t.same([told.losses.length, told.losses[0]?.lostUs, told.lostUs], [1, 300 * SECOND, 300 * SECOND])
  t.match(sentenceOf(told), /^Complete but for 5 min: /)
  t.end()
})

t.test(
  'files alone claim what they hold, over pauses shorter than a file, and nothing of what is the recorder’s own',
  t => {
    const HOUR = 3_600_000_000
    const day = { fromUs: 0, toUs: 24 * HOUR }
    const at = (from: number, to: number, more: Partial<Claim> = {}): Claim => ({ host: 'h', family: 'trades', kind: 'option', currency: 'BTC', fromUs: from * HOUR, toUs: to * HOUR, ...more }) // prettier-ignore
    const deribit = exchangeNamed('deribit')
    const of = (claims: Claim[]) =>
    [...claimed(deribit, claims, day)].map(({ channel, spans }) => [channel.about, spans.flatMap(({ state, fromUs, toUs }) => (state === 'recorded' ? [[fromUs / HOUR, toUs / HOUR]] : []))]) // prettier-ignore
    t.same(of([at(3, 4), at(1, 2), at(4.5, 5), at(7, 8)]), [['all BTC options', [[1, 5], [7, 8]]]]) // prettier-ignore
    t.same(of([at(1, 2), at(1.5, 3, { host: 'other' })]), [['all BTC options', [[1, 3]]]], 'of two hosts') // prettier-ignore
    t.same(of([at(1, 2, { currency: 'ETH' }), at(2, 3, { kind: undefined, currency: undefined })]).map(([about]) => about), ['all ETH options', 'all']) // prettier-ignore
    t.same(of([at(1, 2, { family: 'journal' })]), [], 'the journal is nothing that the exchange sent')
    t.same(of([at(-5, 0), at(24, 25)]), [], 'outside of the window')
    t.same(of([at(-5, 2), at(23, 30)]), [['all BTC options', [[0, 2], [23, 24]]]], 'cut at it') // prettier-ignore
    t.end()
  },
)

t.test('a channel was compared where each part of it was, by any of its names', t => {
  const entry = (scopes: string[], from: number, to: number) =>
    journalEntry({ recvUs: 100 }, 'compared', { scopes, from_us: from, to_us: to })
  const targets = new Targets(exchangeNamed('deribit'))
  const of = (entries: ReturnType<typeof entry>[], wire: string) =>
    new Compared(entries, exchangeNamed('deribit').names).of(targets.of(wire)).map(({ fromUs, toUs }) => [fromUs, toUs])
  const one = 'trades.BTC-PERPETUAL.raw'
  t.same(
    of([entry(['perpetual BTC'], 0, 10), entry(['BTC-PERPETUAL'], 8, 20), entry(['perpetual ETH'], 20, 30)], one),
    [[0, 20]],
  )
  t.same(
    of([entry([one], 5, 6), entry(['perpetual BTC'], 0, 10)], one),
    [[5, 6]],
    'where its own name is said, that counts',
  )
  t.same(of([entry(['option BTC'], 0, 10)], one), [])
  const options = 'trades.option.BTC.raw'
  const combined = [entry(['option BTC'], 0, 10), entry(['option_combo BTC'], 5, 20)]
  const kinds = targets.of(options).partitions
  t.same(of(combined, options), kinds.length > 1 ? [[5, 10]] : [[0, 10]], kinds.join())
  t.same(of([], options), [])
  t.end()
})

t.test('lengths, shares and times are told as far as they are known, and none is rounded to what it is not', t => {
  t.same([0, 49_999, 50_000, 9_949_999, 9_960_000, 119_400_000, 119_600_000, 7_199_000_000, 7_200_000_000, 86_400_000_000].map(lengthText), ['a moment', 'a moment', '0.1 s', '9.9 s', '10 s', '119 s', '120 s', '120 min', '2 h', '24 h']) // prettier-ignore
  holds(
    t,
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), share => {
      const shown = Number(shareText(share).replace(' %', ''))
      assert.ok(shown <= 100 * share + 1e-9 && shown > 100 * share - 0.100_001)
    }),
  )
  const day = { fromUs: Date.UTC(2026, 11, 31) * 1000, toUs: Date.UTC(2027, 0, 1) * 1000 }
  t.equal(timeText(day.toUs - 1, day), '23:59:59', 'a day is one, its end included')
  t.equal(timeText(day.fromUs, { ...day, toUs: day.toUs + 1 }), '2026-12-31 00:00:00')
  const channels = ['A', 'B', 'C'].map(channel)
  t.equal(channelsText(channels.slice(0, 1), 3), 'trades A')
  t.equal(channelsText(channels, 3), 'all 3 channels')
  t.equal(channelsText(channels.slice(0, 2), 3), '2 channels of trades')
  t.equal(channelsText([channel('A'), { ...channel('A'), family: 'book' }], 1234), 'A (trades, book)')
  t.end()
})

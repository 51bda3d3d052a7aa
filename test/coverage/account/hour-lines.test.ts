import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { accountJson, accountMarkdown, accountText } from '../../../cli/coverage/account-text.js'
import type { Account, ChannelGroup, StateSpan } from '../../../coverage/account/account.js'
import { summaryOf, type Line } from '../../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { holds } from '../../fixtures/holds.js'

const HOUR_US = 3_600_000_000
const BEGIN_US = Date.UTC(2021, 0, 1) * 1000

const state = fc.constantFrom<Pick<StateSpan, 'state' | 'grade' | 'cause'>>(
  { state: 'recorded', grade: 'watched' },
  { state: 'missing', grade: 'watched', cause: 'the connection was lost' },
  { state: 'healed', grade: 'exact' },
  { state: 'not yet known', grade: 'watched', cause: 'the last seconds' },
  { state: 'not recording', grade: 'claimed' },
  { state: 'not recording', grade: 'watched', cause: 'the recorder was stopped' },
)

/** What follows one upon the other, without a hole, over so many µs. */
function spansOf(
  parts: readonly (readonly [number, Pick<StateSpan, 'state' | 'grade' | 'cause'>])[],
  lengthUs: number,
) {
  const spans: StateSpan[] = []
  let fromUs = BEGIN_US
  for (const [us, what] of parts) {
    const toUs = Math.min(BEGIN_US + lengthUs, fromUs + us)
    if (fromUs < toUs) spans.push({ fromUs, toUs, ...what })
    fromUs = toUs
  }
  if (fromUs < BEGIN_US + lengthUs)
    spans.push({ fromUs, toUs: BEGIN_US + lengthUs, state: 'recorded', grade: 'watched' })
  return spans
}

const channelsOf = (families: readonly string[]): ChannelGroup['channels'] =>
  families.flatMap(
    family =>
    (['perpetual', 'option'] as const).map(kind => ({ exchange: 'deribit', family, kind, about: `${family} ${kind}`, isWhole: false })), // prettier-ignore
  )

const account = fc
  .record({
    groups: fc.array(
      fc.tuple(fc.subarray(['trades', 'quote', 'book', 'ticker'], { minLength: 1 }), fc.array(fc.tuple(fc.nat({ max: 5 * HOUR_US }), state), { maxLength: 12 })), // prettier-ignore
      { minLength: 1, maxLength: 3 },
    ),
    offsetUs: fc.nat({ max: HOUR_US }),
    lengthUs: fc.integer({ min: 1, max: 30 * HOUR_US }),
  })
  .map(({ groups, offsetUs, lengthUs }): Account => ({
    window: { fromUs: BEGIN_US + Math.min(offsetUs, lengthUs - 1), toUs: BEGIN_US + lengthUs },
    groups: groups.map(([families, parts]) => ({ spans: spansOf(parts, lengthUs), channels: channelsOf(families) })),
    ...{ notOffered: [], trades: [] },
  }))

const keyOf = ({ family, kind }: Line) => `${family} ${kind}`

t.test('lines by hour come in the order of hours, each sort once in each, and add up to those of the whole', t => {
  holds(
    t,
    fc.property(account, account => {
      const told = summaryOf(account, exchangeNamed, 'hour')
      const lines = [...told.lines]
      assert.deepEqual([...told.lines], lines, 'and again, when they are gone through again')
      assert.ok(lines.every(({ hourUs = NaN }, at) => at === 0 || (lines[at - 1]?.hourUs ?? Infinity) <= hourUs))
      assert.equal(new Set(lines.map(line => `${line.hourUs} ${keyOf(line)}`)).size, lines.length)
      const whole = summaryOf(account, exchangeNamed).lines
      for (const figure of ['wantedUs', 'lostUs', 'healedUs', 'pendingUs'] as const) {
        const sums = new Map<string, number>()
        for (const line of lines) sums.set(keyOf(line), (sums.get(keyOf(line)) ?? 0) + line[figure])
        for (const line of whole) assert.equal(sums.get(keyOf(line)) ?? 0, line[figure], `${figure} of ${keyOf(line)}`)
      }
      for (const { hourUs = NaN, wantedUs, pendingUs, channels } of lines) {
        assert.ok(hourUs % HOUR_US === 0 || hourUs === account.window.fromUs)
        assert.ok(wantedUs + pendingUs <= channels * HOUR_US)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const heapMiB = () => {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
}

t.test('a line for each hour of two years was in memory until it was printed', t => {
  const lengthUs = 2 * 365 * 24 * HOUR_US
  const years: Account = {
    window: { fromUs: BEGIN_US, toUs: BEGIN_US + lengthUs },
    groups: [{ spans: spansOf([], lengthUs), channels: channelsOf(['trades', 'quote']) }],
    ...{ notOffered: [], trades: [] },
  }
  const told = summaryOf(years, exchangeNamed, 'hour')
  const hours = lengthUs / HOUR_US
  const before = heapMiB()
  let [lines, most] = [0, 0]
  for (const line of told.lines) if (lines++ % 20_000 === 19_999 && line.channels > 0) most = Math.max(most, heapMiB())
  t.equal(lines, 4 * hours)
  t.ok(most > 0 && most - before < 8, `${(most - before).toFixed(1)} MiB for ${lines} lines`)
  const text = accountText(told)
  t.match(text, /… and 70,040 more; --json has all/)
  let [pieces, rows] = [0, 0]
  for (const piece of accountJson(told, years)) if (piece.includes('"hour"')) pieces++
  for (const line of accountMarkdown(told)) if (line.toString().startsWith('| 0') || line.toString().startsWith('| 1')) rows++ // prettier-ignore
  t.same([pieces, rows], [lines, lines], 'JSON and Markdown have all of them')
  t.ok(heapMiB() - before < 8)
  t.end()
})

/** The spans that a connection keeps of what it did not bring, whatever order things happen in. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Flows } from '../../recorder/connection/family-flow.js'
import { OutageAccount, type Down } from '../../recorder/connection/outage-account.js'
import { Rhythm } from '../../recorder/connection/rhythm.js'
import { holds } from '../fixtures/holds.js'

const CHANNELS: ReadonlySet<string> = new Set(['quote.A', 'quote.B', 'trades.A'])
const familyOf = (channel: string) => channel.split('.')[0] ?? ''

function opened(channels: () => ReadonlySet<string> = () => CHANNELS) {
  const options = { conn: 'd1', group: 0, heardUs: () => 0, channels }
  return new OutageAccount(options, new Flows(() => new Rhythm()), familyOf)
}

/** @throws where spans overlap, are not in order, or one but the last goes on */
function requireOrder(downs: readonly Down[]): void {
  for (const [n, { fromUs, toUs }] of downs.entries()) {
    const next = downs[n + 1]
    assert.ok(fromUs <= toUs, 'forwards')
    if (next) assert.ok(toUs <= next.fromUs && toUs < Infinity, 'one behind the other')
  }
}

const FAMILIES = ['quote', 'trades'] as const
const step = fc.record({
  what: fc.constantFrom('up', 'down', 'silent', 'heard', 'split', 'settle'),
  family: fc.constantFrom(...FAMILIES),
  afterUs: fc.integer({ min: 1, max: 1000 }),
})

function play(account: OutageAccount, steps: readonly { what: string; family: string; afterUs: number }[]): number {
  let nowUs = 1000
  for (const { what, family, afterUs } of steps) {
    nowUs += afterUs
    if (what === 'up') account.up(nowUs)
    else if (what === 'down') account.down(nowUs, 'cut', CHANNELS)
    else if (what === 'silent' && account.isUp) account.silent(family, nowUs, 'silent')
    else if (what === 'heard') account.heardAgain(family, nowUs)
    else if (what === 'split') account.splitSilence(family, nowUs)
    else if (what === 'settle') for (const down of account.downsOf(family)) down.settled ||= down.toUs < Infinity
  }
  return nowUs
}

t.test('spans are in order, one at a time, and what is down is not silent as well', t => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const account = opened()
      play(account, steps)
      requireOrder(account.downs)
      for (const family of FAMILIES) {
        const silences = account.silences.get(family) ?? []
        requireOrder(silences)
        assert.equal(account.isSilent(family), silences.at(-1)?.toUs === Infinity)
        assert.deepEqual([...account.downsOf(family)], [...account.downs, ...silences])
      }
      assert.equal(account.isUp, account.downs.at(-1)?.toUs !== Infinity)
      if (!account.isUp) assert.deepEqual(account.silentFamilies, [], 'a silence ends where all ends')
      assert.equal(account.upUs, account.isUp ? account.downs.at(-1)?.toUs : Infinity)
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('what is told piece by piece is told as a whole', t => {
  const account = opened()
  account.up(10)
  account.silent('quote', 100, 'why')
  for (const atUs of [200, 300, 400]) account.splitSilence('quote', atUs)
  account.heardAgain('quote', 450)
  account.splitSilence('quote', 500)
  const silences = account.silences.get('quote') ?? []
  t.same(
    silences.map(({ fromUs, toUs, cause }) => [fromUs, toUs, cause]),
    [[100, 200, 'why'], [200, 300, 'why'], [300, 400, 'why'], [400, 450, 'why']],
  ) // prettier-ignore
  t.same([...(silences.at(-1)?.channels ?? [])], ['quote.A', 'quote.B'])
  t.end()
})

t.test('a silence that ends before it begins takes no time', t => {
  const account = opened()
  account.up(10)
  account.silent('quote', 100, 'why')
  account.heardAgain('quote', 50)
  t.same(account.silences.get('quote')?.map(({ fromUs, toUs }) => [fromUs, toUs]), [[100, 100]]) // prettier-ignore
  account.down(200, 'cut', CHANNELS)
  account.up(150)
  t.equal(account.upUs, 200)
  t.end()
})

t.test('years of outages keep bounded memory, and no moment of them is taken back', t => {
  const account = opened()
  account.up(1)
  const moments: number[] = []
  for (let n = 1; n <= 1000; n++) {
    account.down(1000 * n, `cut ${n}`, CHANNELS)
    moments.push(1000 * n + 5)
    account.up(1000 * n + 10)
    for (const down of account.downs) down.settled = true
  }
  t.ok(account.downs.length <= 200, `${account.downs.length}`)
  requireOrder(account.downs)
  for (const us of moments) assert.ok(account.downs.some(({ fromUs, toUs }) => fromUs <= us && us < toUs), `${us}`) // prettier-ignore
  t.equal(account.downs.at(-1)?.cause, 'cut 1000')
  t.end()
})

t.test('what is not told yet is never merged, however much there is', t => {
  const account = opened()
  account.up(1)
  for (let n = 1; n <= 300; n++) {
    account.down(1000 * n, 'cut', CHANNELS)
    account.up(1000 * n + 10)
  }
  t.equal(account.downs.filter(({ settled }) => !settled).length, 300)
  t.end()
})

t.test('the clock that is set back takes all spans with it, forward only what lasts in silence', t => {
  for (const [stepUs, wanted] of [
    [-500, [[1500, 1600], [3500, Infinity]]],
    [500, [[2000, 2100], [4500, Infinity]]],
  ] as const) {
    const account = opened()
    account.up(1000)
    account.down(2000, 'cut', CHANNELS)
    account.up(2100)
    account.silent('quote', 4000, 'why')
    account.shift(stepUs)
    const spans = [...account.downsOf('quote')].slice(1).map(({ fromUs, toUs }) => [fromUs, toUs])
    t.same(spans, wanted, `${stepUs}`)
  } // prettier-ignore
  t.end()
})

t.test('families follow the channels, and those of a connection that is down are what it carried', t => {
  let channels: ReadonlySet<string> = CHANNELS
  const account = opened(() => channels)
  t.same([...account.families], [], 'not connected yet')
  account.up(1)
  t.same([...account.families], ['quote', 'trades'])
  channels = new Set(['book.A'])
  t.same([...account.families], ['book'])
  account.down(10, 'cut', CHANNELS)
  channels = new Set()
  t.same([...account.families], ['quote', 'trades'])
  account.down(20, 'again', new Set(['book.A']))
  t.same([...account.families], ['quote', 'trades'], 'what is down goes down no further')
  t.end()
})

t.test('nothing dense, no quiet; of all that is dense, the time that all were silent', t => {
  const account = opened()
  account.up(1)
  t.same(account.quietSpans, [])
  const frame = Buffer.from('{}')
  for (let n = 0; n < 100; n++)
    for (const family of FAMILIES) account.flows.heard(family, 1_000_000 + 100_000 * n, frame)
  t.same(account.quietSpans, [])
  account.silent('quote', 12_000_000, 'x')
  t.same(account.quietSpans, [], 'trades go on')
  account.silent('trades', 13_000_000, 'x')
  account.heardAgain('quote', 15_000_000)
  t.same(account.quietSpans.map(({ fromUs, toUs }) => [fromUs, toUs]), [[13_000_000, 15_000_000]]) // prettier-ignore
  t.end()
})

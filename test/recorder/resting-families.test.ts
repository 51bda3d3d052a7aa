/** What is told of families that may rest while a connection brings nothing at all. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Flows } from '../../recorder/connection/family-flow.js'
import { OutageAccount } from '../../recorder/connection/outage-account.js'
import { Rhythm } from '../../recorder/connection/rhythm.js'
import { RestingFamilies, SKEW_US, JOURNAL_AGAIN_MS } from '../../recorder/resting-families.js'
import { holds } from '../fixtures/holds.js'

const S = 1e6
const FRAME = Buffer.from('{}')
/** It is to come all the time; the others may rest. */
const DENSE = 'quote'
const RESTING = ['trades', 'news'] as const
/** The dense one is taken for silent after this. */
const SILENT_US = 3 * S

function opened() {
  const channels = new Set<string>([DENSE, ...RESTING])
  const account = new OutageAccount(
    { conn: 'd1', group: 0, heardUs: () => 0, channels: () => channels },
    new Flows(() => new Rhythm()),
    channel => channel,
  )
  account.up(0)
  return { account, channels, resting: new RestingFamilies() }
}

/** One look, as the watch makes it: the dense family is judged first. */
function look({ account, resting }: Pick<ReturnType<typeof opened>, 'account' | 'resting'>, nowUs: number) {
  const resumedUs = resting.resumedUs(account)
  for (const family of [DENSE, ...RESTING]) account.flows.of(family).takePauses()
  const { lastUs } = account.flows.of(DENSE)
  const silence = account.silenceOf(DENSE)
  if (silence && lastUs > silence.fromUs) account.heardAgain(DENSE, lastUs)
  else if (!silence && nowUs - lastUs >= SILENT_US) account.silent(DENSE, lastUs, 'silent')
  return resting.look(account, [DENSE], { resumedUs, nowMs: nowUs / 1000, nowUs })
}

/** Spans in which a family was told to be silent; pieces that follow each other are one. */
function silentSpans(account: OutageAccount, family: string): [fromUs: number, toUs: number][] {
  const spans: [number, number][] = []
  for (const { fromUs, toUs } of account.silences.get(family) ?? []) {
    const last = spans.at(-1)
    if (last?.[1] === fromUs) last[1] = toUs
    else spans.push([fromUs, toUs])
  }
  return spans
}

t.test('a connection brings nothing at all: what may rest is silent from the last frame to the first one', t => {
  const second = fc.record({
    /** For so many seconds frames come, then none for so many. */
    flowS: fc.integer({ min: 1, max: 30 }),
    muteS: fc.integer({ min: 0, max: 200 }),
    /** Which one comes first, and how far into a second. */
    first: fc.constantFrom(DENSE, ...RESTING),
    lateUs: fc.integer({ min: 1, max: 0.9 * S }),
  })
  holds(
    t,
    fc.property(fc.array(second, { minLength: 1, maxLength: 8 }), stretches => {
      const { account, resting } = opened()
      let nowUs = 0
      let lastUs = 0
      const wanted: [number, number][] = []
      const answered: number[] = []
      const pass = () => {
        nowUs += S
        const { ended, sinceUs } = look({ account, resting }, nowUs)
        assert.equal(ended.length > 0, sinceUs < Infinity)
        if (ended.length > 0) answered.push(sinceUs)
      }
      for (const { flowS, muteS, first, lateUs } of stretches) {
        const firstUs = nowUs + lateUs
        if (nowUs - lastUs >= SILENT_US && nowUs > 0) wanted.push([lastUs, firstUs])
        account.flows.heard(first, firstUs, FRAME)
        lastUs = firstUs
        for (let n = 0; n < flowS; n++) {
          lastUs = Math.max(lastUs, nowUs + 0.99 * S)
          account.flows.heard(DENSE, lastUs, FRAME)
          pass()
        }
        for (let n = 0; n < muteS; n++) pass()
      }
      for (const family of RESTING) {
        const spans = silentSpans(account, family)
        assert.deepEqual(
          spans.filter(([, toUs]) => toUs < Infinity),
          wanted,
          family,
        )
        const lasts = nowUs - lastUs >= SILENT_US
        assert.equal(account.isSilent(family), lasts, 'what lasts is not over')
        assert.equal(resting.isSilent(account, family), lasts)
      }
      assert.deepEqual(
        answered,
        wanted.map(([fromUs]) => fromUs),
        'all of it may have been missed, however it was told',
      )
    }),
    { numRuns: 100 },
  )
  t.end()
})

t.test('who rests beside one that is silent, and who does not', t => {
  for (const [what, { denseS, tradesS, dense = [DENSE], silent = [DENSE] }, isMute] of [
    ['all ended at once', { denseS: 100, tradesS: 99 }, true],
    ['a trade came last, within the skew of two families', { denseS: 100, tradesS: 101 }, true],
    ['a trade came later: it is the one family alone', { denseS: 100, tradesS: 101.5 }, false],
    ['the dense one is not silent', { denseS: 100, tradesS: 99, silent: [] }, false],
    ['nothing is known to never rest', { denseS: 100, tradesS: 99, dense: [] }, false],
    ['one of two dense ones still comes', { denseS: 100, tradesS: 99, dense: [DENSE, 'news'] }, false],
    ['both are silent', { denseS: 100, tradesS: 99, dense: [DENSE, 'news'], silent: [DENSE, 'news'] }, true],
  ] as [string, { denseS: number; tradesS: number; dense?: string[]; silent?: string[] }, boolean][]) {
    const { account, resting } = opened()
    account.flows.heard(DENSE, denseS * S, FRAME)
    account.flows.heard('trades', tradesS * S, FRAME)
    for (const family of silent) account.silent(family, denseS * S, 'silent')
    resting.look(account, dense, { resumedUs: Infinity, nowMs: 110_000, nowUs: 110 * S })
    t.equal(resting.isSilent(account, 'trades'), isMute, what)
    t.equal(account.isSilent('trades'), isMute, what)
    if (isMute) t.equal(account.silenceOf('trades')?.fromUs, Math.max(denseS, tradesS) * S, 'since the last of all')
  }
  t.equal(SKEW_US, S)
  t.end()
})

t.test('a silence that lasts is written down each minute, so that a crash leaves little unsaid', t => {
  const world = opened()
  const { account } = world
  account.flows.heard(DENSE, S, FRAME)
  for (let atS = 2; atS <= 600; atS++) look(world, atS * S)
  const pieces = account.silences.get('trades') ?? []
  t.equal(pieces.length, 10, 'pieces of ten minutes')
  for (const [n, { fromUs, toUs }] of pieces.entries()) {
    t.equal(fromUs, pieces[n - 1]?.toUs ?? S, 'one behind the other')
    if (n > 0 && toUs < Infinity) t.equal((toUs - fromUs) / 1000, JOURNAL_AGAIN_MS)
  }
  t.end()
})

t.test('of an outage that began meanwhile, the outage tells', t => {
  const world = opened()
  const { account, channels, resting } = world
  account.flows.heard(DENSE, S, FRAME)
  for (let atS = 2; atS <= 20; atS++) look(world, atS * S)
  account.down(20 * S, 'cut', channels)
  account.up(30 * S)
  account.flows.heard('trades', 31 * S, FRAME)
  t.same(look(world, 32 * S), { ended: [], sinceUs: Infinity }, 'it is asked for as that')
  t.notOk(resting.isSilent(account, 'trades'))
  t.same(silentSpans(account, 'trades'), [[S, 20 * S]])
  t.end()
})

t.test('given up while all is silent, and come again: what is left is as it was', t => {
  const world = opened()
  const { account, channels, resting } = world
  account.flows.heard(DENSE, S, FRAME)
  for (let atS = 2; atS <= 20; atS++) look(world, atS * S)
  channels.delete('news')
  for (let atS = 21; atS <= 40; atS++) look(world, atS * S)
  t.ok(account.isSilent('news'), 'nobody knows what was missed of it until anything comes')
  account.flows.heard('news', 40.5 * S, FRAME)
  t.same(look(world, 41 * S).ended.sort(), [...RESTING].sort(), 'what was to come then ends it, too')
  for (const family of RESTING) t.same(silentSpans(account, family).at(-1)?.[1], 40.5 * S, family)
  t.notOk(resting.isSilent(account, 'news'))
  t.end()
})

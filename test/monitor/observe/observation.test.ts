/** What is made of the status files of all parts, whatever stands in them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { conditionsOf, nothingSeen, remembered } from '../../../monitor/alerts/conditions.js'
import { exposition } from '../../../monitor/metrics/exposition.js'
import { elsewhereText } from '../../../monitor/observe/elsewhere-text.js'
import { healthOf } from '../../../monitor/observe/health.js'
import { observationOf, type Sources } from '../../../monitor/observe/observation.js'
import type { PartReport } from '../../../monitor/observe/parts.js'
import { countedOf, noRates, ratesBetween, type Counted, type Rates } from '../../../monitor/observe/rates.js'
import { recorderStatus, syncerStatus } from '../../../formats/part-status.js'
import { syncOf } from '../../../monitor/observe/sync-seen.js'
import { commonFamilies } from '../../../exchanges/family.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { limitsOf } from '../alerts/fixtures/seen.js'
import { holds } from '../../fixtures/holds.js'

const AT_MS = Date.parse('2026-11-22T12:00:00Z')
const iso = (ms: number) => new Date(ms).toISOString()
const HOUR_MS = 3_600_000

const observe = (parts: PartReport[], more: Partial<Sources> = {}) =>
  observationOf({ atMs: AT_MS, parts, rates: new Map(), gaps: [], use: undefined, space: undefined, ...more })

const recorder = (of: string | undefined, status: object, state: PartReport['state'] = 'running'): PartReport => ({
  ...{ part: 'recorder', state, since: iso(AT_MS - HOUR_MS), status: { exchange: of ?? 'deribit', ...status } },
  ...(of !== undefined && { of }),
})

t.test('whatever stands in a status file, it is looked at, judged and told', t => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>('', 'x', -1, 1e300, [], {}, [[]], [{}], { quote: {} }, [{ name: 'd1' }], iso(AT_MS)),
  )
  const keys = [...Object.keys(recorderStatus.shape), ...Object.keys(syncerStatus.shape), 'rows', 'failing', 'segments']
  const status = fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 8 })
  const part = fc.record({
    part: fc.constantFrom('recorder' as const, 'compactor' as const, 'syncer' as const),
    state: fc.constantFrom('running' as const, 'stands still' as const, 'stopped' as const, 'dead' as const),
    since: fc.constantFrom(iso(AT_MS), 'yesterday', ''),
    aliveAt: fc.constantFrom(iso(AT_MS), 'never'),
    status,
  })
  let told = 0
  holds(
    t,
    fc.property(fc.array(part, { maxLength: 4 }), parts => {
      const seen = observe(parts)
      for (const { text, key } of conditionsOf(seen, limitsOf(), nothingSeen)) assert.ok(text !== '' && key !== '')
      remembered(seen, nothingSeen)
      const { live, ready } = healthOf(seen, 60_000)
      told += live.length
      assert.ok(live.every(trouble => ready.includes(trouble)), 'what is not live is not ready') // prettier-ignore
      exposition(seen, { live, ready })
      JSON.stringify(seen)
      assert.equal(seen.recorders.length, parts.filter(({ part }) => part === 'recorder').length)
    }),
    { numRuns: 400 },
  )
  t.not(told, 0)
  t.end()
})

t.test('of several recorders counts are added up, and what only some tell is not lost', t => {
  const seen = observe([
    recorder('deribit', { frames: 10, lost_frames: 1, exchange_offset_us: 400, not_offered: ['A'], run: 'r1' }),
    recorder('bybit', { frames: 5, exchange_offset_us: -900, disk_error: 'EIO', not_offered: ['B'] }),
    recorder('okx', {}, 'never ran'),
  ])
  const { frames, lost_frames, stored_frames, exchange_offset_us, disk_error, not_offered, run, exchange } =
    seen.recorder
  t.same([frames, lost_frames, stored_frames], [15, 1, undefined])
  t.equal(exchange_offset_us, -900, 'the clock is judged by the one that is farthest off')
  t.equal(disk_error, 'EIO')
  t.same(not_offered, ['A', 'B'])
  t.same([run, exchange], [undefined, undefined], 'it is nobody in particular')
  t.same(
    seen.exchanges.map(({ exchange }) => exchange),
    ['deribit', 'bybit', 'okx'],
  )
  t.end()
})

t.test('what a recorder said that gives no sign any more is not so now', t => {
  const status = {
    families: { quote: { frames: 9, last_frame_at: iso(AT_MS - HOUR_MS) } },
    connections: [{ name: 'd1', state: 'live', frames_per_second: 7, channels: 3, sessions: 4 }],
  }
  const rates: Rates = { families: new Map([['quote', { frames: 3, bytes: 4 }]]), connections: new Map([['d1', 2]]) }
  for (const state of ['running', 'stands still', 'dead', 'stopped'] as const) {
    const seen = observe([recorder(undefined, status, state)], { rates: new Map([['recorder', rates]]) })
    const isNow = state === 'running'
    t.equal(seen.connections[0]?.state, isNow ? 'live' : undefined, state)
    t.equal(seen.connections[0]?.framesPerSecond, isNow ? 7 : undefined, state)
    t.equal(seen.families[0]?.framesPerSecond, isNow ? 3 : undefined, state)
    t.equal(seen.families[0]?.isQuiet, isNow, 'who is not at work is not quiet, but gone')
    t.equal(seen.connections[0]?.reconnects, 3, 'sessions behind the first')
    t.equal(seen.exchanges[0]?.connections.live, Number(isNow))
  }
  t.end()
})

t.test('data is what an exchange sends by itself: neither answers nor notes of our own', t => {
  const told = (exchange: string, more: object) => {
    const notSent = [...exchangeNamed(exchange).families, ...commonFamilies].filter(({ comes }) => comes !== 'streamed')
    const now = notSent.map(({ name }) => [name, { last_frame_at: iso(AT_MS) }] as const)
    t.ok(now.length > 0)
    return recorder(exchange, { families: { ...Object.fromEntries(now), ...more } })
  }
  t.equal(observe([told('deribit', {})]).lastDataMs, undefined)
  const seen = observe([told('deribit', { quote: { last_frame_at: iso(AT_MS - 5000) } }), told('bybit', {})])
  t.equal(seen.lastDataMs, AT_MS - 5000)
  t.same(
    seen.recorders.map(({ lastDataMs }) => lastDataMs),
    [AT_MS - 5000, undefined],
  )
  t.same(
    healthOf(seen, 60_000).live,
    ['no data of bybit for 3600 s'],
    'each recorder by itself: the data of the other one is none of it',
  )
  t.end()
})

t.test('health: each state of a part, alone', t => {
  const status = {
    families: { quote: { last_frame_at: iso(AT_MS - 1000) } },
    connections: [{ name: 'd1', state: 'live' }],
  }
  const whole = [recorder(undefined, status)]
  const cases: [string, PartReport[], Partial<Sources>, string[], string[]][] = [
    ['all is well', whole, {}, [], []],
    ['no recorder is asked for', [], {}, [], []],
    ['never ran', [{ part: 'recorder', state: 'never ran', status: {} }], {}, ['the recorder has never run here'], []],
    ['dead', [recorder('okx', status, 'dead')], {}, ['the recorder of okx is dead'], []],
    ['another part stands still', [...whole, { part: 'syncer', state: 'stands still', aliveAt: iso(AT_MS - 11_000), status: {} }], {}, [], ['the syncer stands still: no sign of life for 11 s']],
    ['one that never gave a sign', [...whole, { part: 'syncer', state: 'stands still', status: {} }], {}, [], ['the syncer stands still: no sign of life for ever']],
    ['another part never ran', [...whole, { part: 'syncer', state: 'never ran', status: {} }], {}, [], []],
    ['no connection', [recorder(undefined, { ...status, connections: [{ name: 'd1', state: 'waiting' }] })], {}, [], ['no connection is live']],
    ['a disk that refuses', [recorder(undefined, { ...status, disk_error: { message: 'ENOSPC' } })], {}, ['the disk takes no frames: ENOSPC'], []],
  ] // prettier-ignore
  for (const [what, parts, more, live, ready] of cases) {
    const found = healthOf(observe(parts, more), 60_000)
    t.same(found.live, live, what)
    t.same(found.ready, [...live, ...ready], what)
  }
  t.end()
})

t.test('the connection of one exchange does not make another one ready', t => {
  const status = (state: string) => ({
    families: { quote: { last_frame_at: iso(AT_MS) } },
    connections: [{ name: 'd1', state }],
  })
  const seen = observe([recorder('deribit', status('live')), recorder('bybit', status('waiting'))])
  t.same(healthOf(seen, 60_000).ready, ['no connection is live of bybit'])
  t.end()
})

const counts = fc.dictionary(
  fc.constantFrom('quote', 'book', 'trades'),
  fc.record({ frames: fc.nat(1e9), bytes: fc.nat(1e9) }),
)
const counted: fc.Arbitrary<Counted> = fc
  .tuple(fc.constantFrom('r1', 'r2', undefined), fc.nat(5000), counts)
  .map(([run, atMs, families]) => ({
    ...{ run, atMs, families: new Map(Object.entries(families)) },
    connections: new Map(Object.entries(families).map(([name, { frames }]) => [name, frames])),
  }))

t.test('a rate is between two moments of one run, and never below nothing', t => {
  holds(
    t,
    fc.property(counted, counted, (before, after) => {
      const rates = ratesBetween(before, after)
      if (before.run !== after.run || after.atMs <= before.atMs) {
        assert.equal(rates, noRates)
        return
      }
      assert.deepEqual([...rates.families.keys()], [...after.families.keys()])
      for (const [name, { frames, bytes }] of rates.families) {
        const grown = (after.families.get(name)?.frames ?? 0) - (before.families.get(name)?.frames ?? 0)
        assert.ok(frames >= 0 && bytes >= 0 && Number.isFinite(frames))
        assert.ok(Math.abs((frames * (after.atMs - before.atMs)) / 1000 - Math.max(0, grown)) < 1e-3)
        assert.equal(rates.connections.get(name), frames)
      }
    }),
  )
  t.equal(ratesBetween(undefined, undefined), noRates)
  t.equal(countedOf(recorderStatus.parse({}), undefined), undefined, 'a status that does not say when it was written')
  t.end()
})

t.test('a syncer that is gone falls behind while its status stands still', t => {
  const parts: PartReport[] = [{ part: 'syncer', state: 'dead', status: {} }]
  const behind = (told: object) => syncOf(syncerStatus.parse(told), parts, AT_MS)?.behindMinutes
  const hourAgo = { written_at: iso(AT_MS - HOUR_MS), oldest_unverified_age_s: 60 }
  t.equal(behind({ ...hourAgo, unverified_files: 3 }), 61)
  t.equal(behind({ ...hourAgo, unverified_files: 0 }), 1, 'where nothing waits, nothing ages')
  t.equal(behind({ unverified_files: 3, oldest_unverified_age_s: 60 }), 1)
  t.equal(behind({ ...hourAgo, written_at: iso(AT_MS + HOUR_MS), unverified_files: 3 }), 1, 'nor backwards')
  t.equal(behind({ written_at: iso(AT_MS) }), undefined)
  t.equal(syncOf(syncerStatus.parse({}), [{ part: 'syncer', state: 'never ran', status: {} }], AT_MS), undefined)
  t.end()
})

t.test('an error of the syncer is told while it fails, and not for ever', t => {
  const parts: PartReport[] = [{ part: 'syncer', state: 'running', status: {} }]
  const errorOf = (told: object) => syncOf(syncerStatus.parse(told), parts, AT_MS)?.lastError
  t.equal(errorOf({ failures_in_a_row: 1, last_error: { message: 'no answer' } }), 'no answer')
  t.equal(errorOf({ failures_in_a_row: 0, last_error: { message: 'no answer' } }), undefined)
  t.equal(errorOf({ last_error: 'no answer' }), undefined)
  t.end()
})

t.test('what others have open is told with what becomes of it', t => {
  const of = { exchange: 'okx', host: 'vps2' }
  t.equal(
    elsewhereText({ ...of, segments: 1, isAlive: true }),
    '1 open segment of vps2 (okx), another recorder that is running here',
  )
  t.match(
    elsewhereText({ ...of, segments: 2, isAlive: false }),
    /^⚠️ 2 open segments of vps2 .* the next start .* seals them$/,
  )
  t.end()
})

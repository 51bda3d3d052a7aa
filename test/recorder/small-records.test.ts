/** What the recorder notes of itself beside its frames: polls that were answered, subscriptions, hours, frames in pieces. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { createLogger } from '../../platform/log.js'
import { Complaints } from '../../recorder/complaints.js'
import { looksWhole, Pieces, type NotWhole } from '../../recorder/connection/pieces.js'
import { PollProgress } from '../../recorder/poll-progress.js'
import { ReceiveLag } from '../../recorder/receive-lag.js'
import { journalSubscriptions } from '../../recorder/subscription-set.js'
import { HourMark } from '../../recorder/utc-hour.js'
import { holds } from '../fixtures/holds.js'

const SECOND_US = 1_000_000

t.test('how far polls were answered outlives a restart, and what was noted since is not undone by it', async t => {
  const dataDir = t.testdir()
  const before = new PollProgress(dataDir, 'deribit', 'vps1')
  await before.load()
  before.note('book BTC', 100)
  before.note('book ETH', 200)
  await before.save()
  const after = new PollProgress(dataDir, 'deribit', 'vps1')
  after.note('book BTC', 900)
  await after.load()
  t.same(['book BTC', 'book ETH', 'book SOL'].map(id => after.answeredMs(id)), [900, 200, undefined]) // prettier-ignore
  const other = new PollProgress(dataDir, 'deribit', 'vps2')
  await other.load()
  t.equal(other.answeredMs('book ETH'), undefined, 'of another recorder')
})

t.test('of a file that is cut off, or is none of ours, nothing is believed', async t => {
  const dataDir = t.testdir({ state: {} })
  const path = join(dataDir, 'state', 'recorder-polls-deribit-vps1.json')
  for (const text of ['', '{"a":1', '[1]', '{"a":"1"}', '{"a":1,"b":null}', 'null', '{"a":1e999}']) {
    writeFileSync(path, text)
    const progress = new PollProgress(dataDir, 'deribit', 'vps1')
    await progress.load()
    t.equal(progress.answeredMs('a'), undefined, text)
  }
})

t.test('it is written when something changed, and again where the disk refused', async t => {
  const dataDir = t.testdir()
  const path = join(dataDir, 'state', 'recorder-polls-deribit-vps1.json')
  const kept = () => JSON.parse(readFileSync(path, 'utf8')) as unknown
  const progress = new PollProgress(dataDir, 'deribit', 'vps1')
  await progress.save()
  t.throws(kept, { code: 'ENOENT' }, 'nothing to keep')
  mkdirSync(`${path}.tmp`, { recursive: true })
  progress.note('a', 1)
  await t.rejects(progress.save(), { code: 'EISDIR' })
  rmSync(`${path}.tmp`, { recursive: true })
  await progress.save()
  t.same(kept(), { a: 1 })
  progress.note('b', 2)
  const first = progress.save()
  progress.note('c', 3)
  await progress.save()
  await first
  t.same(kept(), { a: 1, b: 2 }, 'one write is under way at most')
  await progress.save()
  t.same(kept(), { a: 1, b: 2, c: 3 }, 'and what came meanwhile is not forgotten')
  progress.keepOnly(new Set(['a', 'c', 'z']))
  await progress.save()
  t.same(kept(), { a: 1, c: 3 })
})

t.test('what each connection is subscribed to is told whole, in entries of a bounded size', t => {
  const names = fc.uniqueArray(fc.integer({ min: 0, max: 5000 }), { maxLength: 1700 })
  holds(t, fc.property(fc.array(names, { maxLength: 3 }), sets => {
      const told: { conn: string; channels: readonly string[]; part: number; parts: number }[] = []
      const connections = sets.map((set, n) => ({ name: `d${n}`, channels: new Set(set.map(number => `quote.${number}`)) }))
      journalSubscriptions(connections, {
        journal: (event, facts) => {
          assert.equal(event, 'subscriptions')
          told.push(facts as never)
        },
      })
      for (const { name, channels } of connections) {
        const own = told.filter(({ conn }) => conn === name)
        assert.deepEqual(own.flatMap(({ channels }) => channels), [...channels].sort())
        assert.deepEqual(own.map(({ part }) => part), own.map((_, n) => n + 1))
        for (const { parts, channels } of own) assert.ok(parts === own.length && channels.length > 0 && channels.length <= 500)
      }
    }),
    { numRuns: 30 },
  ) // prettier-ignore
  t.end()
})

t.test('each hour begins once, wherever the clock goes', t => {
  const mark = new HourMark(Date.parse('2026-12-31T23:59:59.999Z') * 1000 + 999)
  const asked = (time: string) => mark.isNew(Date.parse(time) * 1000)
  t.same(
    ['2027-01-01T00:00:00Z', '2027-01-01T00:59:59Z', '2027-01-01T01:00:00Z', '2027-01-01T00:59:59Z', '2027-01-01T00:58:00Z', '2028-02-29T00:30:00Z'].map(asked),
    [true, false, true, true, false, true],
  ) // prettier-ignore
  t.end()
})

t.test('frames that are not whole are all counted, between the good frames of their family', t => {
  const step = fc.record({
    family: fc.constantFrom('quote', 'book'),
    isGood: fc.boolean(),
    channel: fc.option(fc.constantFrom('quote.A', 'quote.B'), { nil: undefined }),
    afterUs: fc.integer({ min: 1, max: 3 * SECOND_US }),
    isLook: fc.boolean(),
  })
  holds(t, fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const told: NotWhole[] = []
      const pieces = new Pieces(one => told.push(one))
      const bad: { family: string; atUs: number }[] = []
      const goodUs = new Map<string, number>()
      let nowUs = 100 * SECOND_US
      for (const { family, isGood, channel, afterUs, isLook } of steps) {
        nowUs += afterUs
        if (isGood) {
          pieces.good(family, nowUs)
          goodUs.set(family, nowUs)
        } else {
          pieces.bad(family, channel, nowUs, goodUs.get(family) ?? -Infinity)
          bad.push({ family, atUs: nowUs })
        }
        if (isLook) pieces.look(nowUs)
      }
      pieces.look(Infinity)
      assert.ok(pieces.isEmpty)
      for (const family of ['quote', 'book']) {
        const own = told.filter(one => one.family === family)
        const ofFamily = bad.filter(one => one.family === family)
        assert.equal(own.reduce((sum, { frames }) => sum + frames, 0), ofFamily.length, 'each frame once')
        for (const { atUs } of ofFamily) assert.ok(own.some(({ from_us, to_us }) => from_us <= atUs && to_us >= atUs), 'within what is told')
        for (const { from_us, to_us } of own) assert.ok(from_us <= to_us && Number.isFinite(from_us))
      }
    }),
    { numRuns: 150 },
  ) // prettier-ignore
  t.end()
})

t.test('the channels of broken frames are named, where they are known and few', t => {
  const toldOf = (channels: (string | undefined)[]) => {
    const told: NotWhole[] = []
    const pieces = new Pieces(one => told.push(one))
    channels.forEach((channel, n) => pieces.bad('quote', channel, SECOND_US + n, 0))
    pieces.look(10 * SECOND_US)
    return told[0]?.channels
  }
  t.same(toldOf(['b', 'a', 'b']), ['b', 'a'])
  t.equal(toldOf(['a', undefined]), undefined, 'one of which nobody knows')
  t.equal(toldOf([undefined, 'a']), undefined)
  t.equal(toldOf(Array.from({ length: 50 }, (_, n) => `${n}`))?.length, 50)
  t.equal(toldOf(Array.from({ length: 51 }, (_, n) => `${n}`)), undefined)
  for (const [text, isWhole] of [['{}', true], ['[1]', true], ['{"a":1', false], ['[1}', false], ['"a"', false], ['', false], ['{', false], [' {}', false]] as const)
    t.equal(looksWhole(Buffer.from(text)), isWhole, text) // prettier-ignore
  t.end()
})

t.test(
  'whatever is complained of how often, each time is told or counted, and only so many kinds are remembered',
  t => {
    const words = ['refused', 'reset', 'limit']
    const step = fc.tuple(fc.nat(2), fc.nat(9), fc.constantFrom(0, 10, 30_000, 4_000_000))
    holds(t, fc.property(fc.array(step, { maxLength: 80 }), steps => {
      const time = { ms: 0 }
      const counts = new Map<string, number>()
      const entries: { kind: string; isFirst: boolean; fromUs: number; toUs: number }[] = []
      const kindOf = (message: string) => message.replace(/\d/g, '')
      const journal = (event: string, facts: object) => {
        const { message, count = 1, from_us = 0, to_us = 0 } = facts as { message: string; count?: number; from_us?: number; to_us?: number }
        const kind = kindOf(message)
        counts.set(kind, (counts.get(kind) ?? 0) + count)
        entries.push({ kind, isFirst: event !== 'repeated', fromUs: from_us, toUs: to_us })
      }
      const complaints = new Complaints({ journal }, createLogger('test', 'silent'), () => 1000 * time.ms, () => time.ms)
      for (const [word, figure, afterMs] of steps) {
        time.ms += afterMs
        complaints.report({ event: 'connect_failed', message: `${words[word] ?? ''} ${figure}` })
        complaints.tick()
      }
      complaints.close()
      for (const [n, word] of words.entries())
        assert.equal(counts.get(`${word} `) ?? 0, steps.filter(([own]) => own === n).length)
      for (const { isFirst, fromUs, toUs } of entries) assert.ok(isFirst || (fromUs <= toUs && toUs <= 1000 * time.ms))
    }),
    { numRuns: 150 },
  ) // prettier-ignore
    let told = 0
    const complaints = new Complaints(
      {
        journal: () => {
          told++
        },
      },
      createLogger('test', 'silent'),
      () => 0,
      () => 0,
    )
    const letters = (n: number) => String.fromCharCode(97 + (n % 26), 97 + Math.floor(n / 26))
    for (let n = 0; n < 600; n++) complaints.report({ event: 'connect_failed', message: letters(n) })
    t.equal(told, 600)
    for (let n = 590; n < 600; n++) complaints.report({ event: 'connect_failed', message: letters(n) })
    t.equal(told, 600, 'the newest are known')
    complaints.report({ event: 'connect_failed', message: letters(0) })
    t.equal(told, 601, 'the oldest were forgotten')
    t.end()
  },
)

t.test('whatever ages frames have, a histogram holds each once, and its sum is theirs', t => {
  holds(t, fc.property(fc.array(fc.integer({ min: -5000, max: 30_000 }), { minLength: 1, maxLength: 40 }), ages => {
      const lag = new ReceiveLag(frame => Number(frame))
      ages.forEach((ageMs, n) => {
        const madeMs = 1e6 + 10 * n
        const sample = { frame: Buffer.from(`${madeMs}`), recvUs: 1000 * (madeMs + ageMs) }
        const counts = new Map([['quote', { sample }]])
        lag.look(counts)
        // It was taken: the next look is at another one, or none.
        lag.look(counts)
      })
      const { lag: told, lag_ms } = lag.of('quote')
      assert.ok(told)
      const olds = ages.map(ageMs => Math.max(0, ageMs) / 1000)
      assert.equal(told.buckets['+Inf'], olds.length)
      for (const [bound, count] of Object.entries(told.buckets))
        if (bound !== '+Inf') assert.equal(count, olds.filter(age => age <= Number(bound)).length, bound)
      assert.ok(Math.abs(told.sum - olds.reduce((sum, age) => sum + age, 0)) < 1e-5)
      assert.equal(lag_ms, Math.round(1000 * (olds.at(-1) ?? 0)))
    }),
    { numRuns: 150 },
  ) // prettier-ignore
  t.equal(new ReceiveLag(undefined).of('quote').lag, undefined)
  t.end()
})

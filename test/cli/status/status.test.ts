import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { withAccount } from '../../../monitor/observe/with-account.js'
import { coverageDay, coverageEvent } from '../../fixtures/coverage-day.js'
import { healthOf } from '../../../monitor/observe/health.js'
import { Observer } from '../../../monitor/observe/observer.js'
import { reportOf } from '../../../monitor/observe/parts.js'
import { screenOf } from '../../../cli/status/screen.js'
import { exchanges } from '../../../exchanges/registry.js'
import type { Clock } from '../../../platform/clock.js'
import { writeStatus } from '../../../formats/status.js'
import { cliMain, edgetape } from '../../fixtures/cli.js'
import { writeRecording } from '../../fixtures/made-recording.js'
import { matchAll } from '../../fixtures/match-all.js'

const NOON_MS = Date.parse('2026-11-22T12:00:00Z')
const iso = (ms: number) => new Date(ms).toISOString()

function recorder(frames: number, atMs: number) {
  return {
    run: 'r1',
    written_at: iso(atMs),
    exchange: 'deribit',
    frames,
    sealed_segments: 7,
    families: {
      sent: { frames: 3, bytes: 300, last_frame_at: iso(NOON_MS - 3_600_000) },
      quote: { frames, bytes: 100 * frames, last_frame_at: iso(atMs - 500) },
      ticker: { frames: 5, bytes: 500, last_frame_at: iso(NOON_MS - 600_000) },
    },
    connections: [
      { name: 'd1', state: 'live', channels: 412, frames, sessions: 3, last_frame_at: iso(atMs - 500) },
      {
        name: 'd2',
        state: 'waiting',
        channels: 0,
        frames: 0,
        last_frame_at: null,
        reconnects: 9,
        last_error: 'refused',
      },
    ],
  }
}

class HandClock implements Clock {
  ms = NOON_MS
  nowMs = () => this.ms
  monotonicUs = () => this.ms * 1000
}

const journal = (offsetMs: number, event: object) => ({
  family: 'journal',
  conn: 'journal',
  recvUs: (NOON_MS + offsetMs) * 1000,
  frame: JSON.stringify(event),
})
const us = (offsetMs: number) => (NOON_MS + offsetMs) * 1000

t.test('alive by its process, dead without, stopped when it said so', t => {
  const dataDir = t.testdir()
  t.equal(reportOf('recorder', dataDir).state, 'never ran')
  writeStatus(dataDir, 'recorder', {})
  t.equal(reportOf('recorder', dataDir).state, 'running', 'this very process')
  t.match(reportOf('recorder', dataDir), { version: /^\d/, since: /^\d{4}-.*Z$/, pid: process.pid })
  t.equal(reportOf('recorder', dataDir, undefined, () => false).state, 'dead')
  writeStatus(dataDir, 'recorder', { stopped: true })
  t.equal(reportOf('recorder', dataDir).state, 'stopped')
  writeStatus(dataDir, 'syncer', { state: 'stopped' })
  t.equal(reportOf('syncer', dataDir).state, 'stopped')
  t.end()
})

t.test('rates, ages, gaps, segments, backlog and days left', t => {
  const dataDir = t.testdir()
  const clock = new HandClock()
  writeRecording(dataDir, [
    journal(-86_400_000 - 1000, { event: 'gap', conn: 'd1', cause: 'too old', from_us: 0, to_us: 1, families: ['quote'] }),
    journal(-13 * 3_600_000, { event: 'gap', conn: 'd1', cause: 'yesterday', from_us: us(-13 * 3_600_000), to_us: us(-13 * 3_600_000 + 1000), families: ['quote'] }),
    journal(-60_000, { event: 'disconnected', conn: 'd1', cause: 'reset' }),
    journal(-50_000, { event: 'gap', conn: 'd1', cause: 'reset', from_us: us(-60_000), to_us: us(-50_000), families: ['quote'] }),
    journal(-40_000, { event: 'trade_hole', instrument: 'BTC-PERPETUAL', from_seq: 5, to_seq: 9, from_us: us(-60_000), to_us: us(-50_000), cause: 'reset' }),
    journal(-30_000, { event: 'disconnected', conn: 'd2', cause: 'silence' }),
  ]) // prettier-ignore
  writeRecording(dataDir, [{ family: 'quote', conn: 'd1', recvUs: us(-1000), frame: '{"a":1}' }], { openFromUs: 0 })
  writeStatus(dataDir, 'recorder', recorder(1000, NOON_MS))
  writeStatus(dataDir, 'compactor', { backlog_segments: 4, rows: { quote: 1200, trades: 34 }, quarantined: 2 })
  writeStatus(dataDir, 'syncer', {
    state: 'waiting for the target',
    written_at: iso(NOON_MS - 60_000),
    target: '/nas',
    backlog_files: 12,
    backlog_bytes: 2048,
    unverified_files: 12,
    oldest_unverified_age_s: 240,
    failures_in_a_row: 2,
    last_error: { code: 'X', message: 'cannot reach nas' },
  })
  const observer = new Observer(dataDir, clock)
  t.equal(observer.look().families[0]?.framesPerSecond, undefined, 'one look has no rates')
  clock.ms += 2000
  writeStatus(dataDir, 'recorder', recorder(1500, clock.ms))
  const seen = observer.look()
  matchAll(t, seen.families, [
    { family: 'quote', framesPerSecond: 250, bytesPerSecond: 25_000 },
    { family: 'ticker', framesPerSecond: 0, isStreamed: true },
    { family: 'sent', isStreamed: false },
  ])
  t.equal(seen.families[0]?.lastFrameMs, seen.lastDataMs)
  t.equal(seen.lastDataMs, clock.ms - 500)
  matchAll(t, seen.connections, [
    { name: 'd1', state: 'live', framesPerSecond: 250, reconnects: 2 },
    { name: 'd2', state: 'waiting', reconnects: 9, lastError: 'refused' },
  ])
  matchAll(
    t,
    seen.gaps.map(({ cause, kind, healed, toUs }) => ({ cause, kind, healed, lasts: toUs === undefined })),
    [
      { cause: 'yesterday', kind: 'gap' },
      { cause: 'reset', kind: 'gap', lasts: false },
      { kind: 'trade_hole', healed: false },
      { cause: 'silence', kind: 'outage', lasts: true },
    ],
  )
  t.equal(seen.segments.open, 1)
  t.match(seen.sync, { files: 12, bytes: 2048, lastError: 'cannot reach nas' })
  t.ok(Math.abs((seen.sync?.behindMinutes ?? 0) - (240 + 62) / 60) < 0.01, 'older by the time since it was written')
  t.ok((seen.disk?.freeBytes ?? 0) > 0)

  const gap = coverageEvent(clock.ms - 60_000, { seconds: 42 })
  const day = coverageDay('2026-11-22', clock.ms, {
    events: [gap, { ...gap, fromMs: clock.ms - 900_000 }],
    families: { 'deribit quote': { gaps: 2, seconds: 42 } },
    sentence: `Complete but for 42 s in 2 gaps; the longest 42 s: 12:00:00, reset (${'many channels '.repeat(9)}).`,
    healedCount: 3,
    trades: 'Trades, by number, up to the last comparison with the exchange: 7 of 7.',
    pending: 'Not yet known: the last seconds.',
  })
  const text = screenOf(withAccount(seen, day))
  const [, , , sentence = '', more] = text.split('\n')
  t.match(sentence, /^ {2}Complete but for 42 s in 2 gaps; .*…$/)
  t.equal(sentence.length, 80)
  t.equal(more, '  trades 7 of 7; 3 healed; not yet known: the last seconds; see coverage')
  t.match(text, /recorder +running .*compactor +running .*syncer +running/s)
  t.match(text, /d1 +live +250 +500 ms ago|d1 +live +250 +0\.5 s ago/)
  t.match(text, /d2 +waiting +0 +– +9 +0 +refused/)
  t.match(text, /quote +250 +24\.4 KiB +1,500 .* 2 \(42 s\)/)
  t.match(text, /ticker .* 10 min ⚠️ /)
  t.match(text, /1 open \(.*\), 4 waiting for the compactor, 7 sealed/)
  t.match(text, /rows +1,234 since/)
  t.match(text, /12 files waiting \(2 KiB\), oldest not verified 5 min, to \/nas:\s+waiting for the target/)
  t.end()
})

t.test('what a dead recorder left is shown, without rates', t => {
  const dataDir = t.testdir()
  writeStatus(dataDir, 'recorder', { ...recorder(1000, NOON_MS), pid: 2 ** 22 + 1 })
  const seen = new Observer(dataDir).look()
  t.match(seen.parts[0], { state: 'dead' })
  t.equal(seen.families[0]?.framesPerSecond, undefined)
  t.match(screenOf(seen), /recorder +dead: not shut down/)
  t.match(screenOf(seen), /quote +– +– +1,000/)
  t.end()
})

t.test('a recorder that stood still was shown as running, its connections live, with its last rates', t => {
  const dataDir = t.testdir()
  const clock = new HandClock()
  const observer = new Observer(dataDir, clock)
  writeStatus(dataDir, 'recorder', recorder(1000, clock.ms))
  observer.look()
  clock.ms += 2000
  writeStatus(dataDir, 'recorder', recorder(1500, clock.ms))
  const before = observer.look()
  t.equal(before.parts[0]?.state, 'running')
  t.match(before.connections[0], { state: 'live', framesPerSecond: 250 })
  clock.ms += 10_001
  const seen = observer.look()
  t.equal(seen.parts[0]?.state, 'stands still')
  t.equal(seen.connections[0]?.state, undefined)
  t.equal(seen.families[0]?.framesPerSecond, undefined)
  t.match(screenOf(seen), /recorder +STANDS STILL/)
  t.same(healthOf(seen, 120_000).live, ['the recorder stands still: no sign of life for 10 s'])
  writeStatus(dataDir, 'recorder', recorder(1600, clock.ms))
  t.equal(observer.look().parts[0]?.state, 'running', 'and goes on')
  t.end()
})

t.test('of several recorders those that had not written anew were shown without rates', async t => {
  const dataDir = t.testdir()
  const clock = new HandClock()
  const names = ['deribit', 'okx']
  const observer = new Observer(dataDir, clock, names)
  const write = (name: string, frames: number) =>
    writeStatus(dataDir, 'recorder', { ...recorder(frames, clock.ms), exchange: name }, name)
  for (const name of names) write(name, 1000)
  const looking = observer.lookForRates()
  clock.ms += 1000
  write('deribit', 1500)
  let looks = 1
  clock.nowMs = () => {
    if (++looks === 3) write('okx', 1200)
    return clock.ms
  }
  const { families } = await looking
  const rates = families.filter(({ family }) => family === 'quote').map(one => [one.exchange, one.framesPerSecond])
  t.same(rates.sort(), [
    ['deribit', 500],
    ['okx', 200],
  ])
})

t.test('of two exchanges the names of families were cut at 80 columns: deribit trad…, bybit ins…', t => {
  const dataDir = t.testdir()
  const clock = new HandClock()
  const both = exchanges.filter(({ name }) => name === 'deribit' || name === 'okx')
  const observer = new Observer(
    dataDir,
    clock,
    both.map(({ name }) => name),
  )
  const write = (frames: number) => {
    for (const { name: exchange, families } of both) {
      const counts = { frames, bytes: 100 * frames, last_frame_at: iso(clock.ms - 500), lag_ms: 1234.5 }
      const ofAll = Object.fromEntries(families.map(({ name }) => [name, counts]))
      writeStatus(dataDir, 'recorder', { ...recorder(frames, clock.ms), exchange, families: ofAll }, exchange)
    }
  }
  write(111_000_000)
  observer.look()
  clock.ms += 1000
  write(111_012_345)
  const seen = observer.look()
  const shown = (columns: number) => screenOf(seen, columns).split('\n')
  for (const columns of [80, 100]) {
    const lines = shown(columns)
    t.same(
      lines.filter(line => line.length > columns && !line.includes(dataDir)),
      [],
      `within ${columns} columns`,
    )
    for (const { name, families } of both) {
      t.ok(lines.some(line => line.startsWith(`recorder of ${name} `)))
      t.ok(lines.some(line => line.startsWith(`  ${name} d1  `)))
      for (const family of families)
        t.ok(
          lines.some(line => line.startsWith(`  ${name} ${family.name}  `)),
          `${columns}: ${name} ${family.name}`,
        )
    }
  }
  const headAt = (columns: number) => shown(columns).find(line => line.startsWith('  family'))
  t.match(headAt(80), /^ {2}family +frames\/s +age +lag +gaps today$/)
  t.match(headAt(100), /^ {2}family +frames\/s +bytes\/s +frames +age +lag +gaps today$/)
  t.match(headAt(120), /^ {2}family +frames\/s +bytes\/s +frames +bytes +age +lag +gaps today$/)
  t.end()
})

t.test('what another version writes, or nonsense, is no reason to fail', t => {
  const dataDir = t.testdir()
  const status = { families: { quote: { frames: 'many' } }, connections: 'none', waiting_bytes: null, run: 7 }
  writeStatus(dataDir, 'recorder', status)
  writeStatus(dataDir, 'compactor', { rows: [], last_error: {} })
  t.match(screenOf(new Observer(dataDir).look()), /quote +– +– +0/)
  t.end()
})

t.test('from the command line', async t => {
  const dataDir = t.testdir({ 'edgetape.yaml': 'exchange: { name: deribit }\ndataDir: .\n' })
  const args = ['status', '--config', join(dataDir, 'edgetape.yaml')]
  const empty = await edgetape(args, { cwd: dataDir })
  t.match(empty.stdout, /recorder +never ran here.*syncer +never ran here/s)
  t.equal(empty.exitCode, 0)
  writeStatus(dataDir, 'recorder', { ...recorder(1000, Date.now()), stopped: true })
  const json: unknown = JSON.parse((await edgetape([...args, '--json'], { cwd: dataDir })).stdout)
  matchAll(t, json, {
    parts: [{ part: 'recorder', state: 'stopped' }, { part: 'compactor' }, { part: 'syncer' }],
    recorder: { frames: 1000 },
  })

  const watch = execa(process.execPath, [cliMain, ...args, '--watch', '--json'], { cwd: dataDir, reject: false })
  let lines = 0
  for await (const line of watch) {
    t.match(JSON.parse(line), { recorder: { frames: 1000 } })
    if (++lines === 2) watch.kill('SIGTERM')
  }
  t.ok(lines >= 2, 'goes on until it is told to end')
})

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { parseConfig } from '../../../config/load.js'
import { recorderTags } from '../../../config/one-exchange.js'
import { writeStatus } from '../../../formats/status.js'
import { EdgeError } from '../../../platform/edge-error.js'
import { judgeClock, readChrony, readNtpq, readTimedatectl } from '../../../monitor/doctor/clock.js'
import { judgeExchangeClock } from '../../../monitor/doctor/exchange.js'
import { deribit } from '../../../exchanges/deribit/main.js'
import { estimateVolume } from '../../../monitor/doctor/expected-volume.js'
import { findingsOf, isHanging, type Check, type Finding } from '../../../monitor/doctor/finding.js'
import { filesNeeded, judgeOpenFiles, softLimitOf } from '../../../monitor/doctor/open-files.js'
import { judgeProgram, nodeFinding } from '../../../monitor/doctor/programs.js'
import { exitCodeOf, linesOf, summaryOf } from '../../../cli/doctor/report.js'
import { partProblems } from '../../../monitor/doctor/part-problems.js'
import { matchAll } from '../../fixtures/match-all.js'
import { judgeDisk, judgeTargetSpace } from '../../../monitor/doctor/space.js'

const GIB = 1024 ** 3
const { signal } = new AbortController()

t.test('programs by what they say', t => {
  t.match(nodeFinding('20.0.0'), { outcome: 'ok' })
  t.match(nodeFinding('18.20.8'), { outcome: 'failed', hint: /nodejs/ })
  const cases = [
    ['rsync', 'rsync  version 3.2.7  protocol version 31', 'ok'],
    ['rsync', 'rsync  version v3.4.1  protocol version 32', 'ok'],
    ['rsync', 'rsync  version 3.1.3  protocol version 31', 'warning'],
    ['rsync', 'rsync  version 3.0.9  protocol version 30', 'failed'],
    ['rsync', 'openrsync: protocol version 29', 'failed'],
    ['rsync', undefined, 'failed'],
    ['ssh', 'OpenSSH_9.2p1 Debian-2+deb12u3, OpenSSL 3.0.15', 'ok'],
    ['ssh', 'OpenSSH_6.6.1p1', 'failed'],
    ['flock', 'flock from util-linux 2.38.1', 'ok'],
    ['flock', 'BusyBox: unrecognized option', 'ok'],
    ['flock', undefined, 'failed'],
  ] as const
  for (const [name, said, outcome] of cases) {
    const found = judgeProgram(name, said)
    t.equal(found.outcome, outcome, `${name}: ${said ?? 'not there'}`)
    if (outcome !== 'ok') t.match(found.hint, /apt-get install/)
  }
  t.end()
})

t.test('who keeps the clock, and how well', t => {
  const chrony = (offset: string, leap: string) =>
    readChrony(
      `A29FC87B,162.159.200.123,4,1795420000.1,${offset},0.0001,0.0002,-1.2,0.0,0.03,0.02,0.001,64.2,${leap}\n`,
    )
  t.match(judgeClock([chrony('0.000012', 'Normal')].flatMap(x => x ?? [])), {
    outcome: 'ok',
    message: /chrony, off by 0\.01 ms/,
  })
  t.match(judgeClock([chrony('-0.25', 'Normal')].flatMap(x => x ?? [])), { outcome: 'warning', message: /250/ })
  t.match(judgeClock([chrony('0', 'Not synchronised')].flatMap(x => x ?? [])), { outcome: 'failed', hint: /chrony/ })
  t.equal(readChrony('506 Cannot talk to daemon'), undefined)
  t.same(readTimedatectl('Timezone=UTC\nNTP=no\nNTPSynchronized=yes\n'), { name: 'systemd', synchronised: true })
  t.equal(readTimedatectl(''), undefined)
  const ntp = 'associd=0 status=0615 leap_none, sync_ntp, 1 event,\nstratum=2, offset=-0.512, frequency=1.1'
  t.same(readNtpq(ntp), { name: 'ntpd', synchronised: true, offsetS: -0.000512 })
  t.match(readNtpq('status=c016 leap_alarm, sync_unspec, offset=0'), { synchronised: false })
  t.match(judgeClock([]), { outcome: 'warning', hint: /chrony/ })
  const astray = [
    { name: 'chrony', synchronised: false, offsetS: 0 },
    { name: 'systemd', synchronised: true },
  ]
  t.equal(judgeClock(astray).outcome, 'failed', 'the one that measures is believed')
  t.end()
})

t.test("the exchange's clock: only what the round trip cannot explain counts", t => {
  t.equal(judgeExchangeClock({ offsetUs: 900, roundTripUs: 3000 }, deribit).outcome, 'ok')
  t.equal(judgeExchangeClock({ offsetUs: 140_000, roundTripUs: 90_000 }, deribit).outcome, 'ok')
  t.match(judgeExchangeClock({ offsetUs: -150_000, roundTripUs: 3000 }, deribit), {
    outcome: 'warning',
    message: /150 ms behind/,
  })
  t.match(judgeExchangeClock({ offsetUs: 3e6, roundTripUs: 3000 }, deribit), { outcome: 'failed', hint: /clock/ })
  t.match(judgeExchangeClock({ offsetUs: 0, roundTripUs: 400_000 }, deribit), { outcome: 'warning', hint: /London/ })
  t.end()
})

t.test('how long the disk lasts', t => {
  const here = { freeBytes: 52 * GIB, dataBytes: 0, shipped: true, keepHours: 48, minFreeGiB: 2 }
  const volume = (gibPerDay: number) => ({ bytesPerDay: gibPerDay * GIB, from: 'estimated' as const })
  t.match(judgeDisk({ ...here, volume: volume(2) }), { outcome: 'ok', facts: { target_away_days: 23 } })
  t.match(judgeDisk({ ...here, volume: volume(20) }), { outcome: 'warning', facts: { target_away_days: 0.5 } })
  t.match(judgeDisk({ ...here, volume: volume(40) }), { outcome: 'warning', message: /keepHours 48.*sooner/ })
  t.match(
    judgeDisk({ ...here, dataBytes: 80 * GIB, volume: volume(40) }),
    { facts: { target_away_days: 1.25 } },
    'what lies here already counts once',
  )
  const kept = { ...here, shipped: false }
  t.match(judgeDisk({ ...kept, volume: volume(1) }), { outcome: 'ok', facts: { days_left: 50 } })
  t.match(judgeDisk({ ...kept, volume: volume(5) }), { outcome: 'warning', hint: /sync\.target/ })
  t.match(judgeDisk({ ...kept, volume: volume(50) }), { outcome: 'failed', message: /full in 24 hours|1\.0 days/ })
  t.match(judgeDisk({ ...here, freeBytes: GIB, volume: undefined }), { outcome: 'failed', message: /minFreeGiB/ })
  t.match(judgeDisk({ ...here, volume: undefined }), { outcome: 'ok', message: /not known yet/ })
  t.match(judgeTargetSpace(700 * GIB, volume(1)), { outcome: 'ok', message: /more than a year/ })
  t.match(judgeTargetSpace(10 * GIB, volume(1)), { outcome: 'warning' })
  t.match(judgeTargetSpace(GIB, volume(1)), { outcome: 'failed' })
  t.match(judgeTargetSpace(undefined, volume(1)), { outcome: 'ok', message: /a year takes about 365 GiB/ })
  t.end()
})

t.test('what a day takes, by the channels', t => {
  const quotes = new Map([['quote', { channels: 10, framesPerSecond: 100 }]])
  const { bytesPerDay, from } = estimateVolume(deribit, quotes)
  t.equal(from, 'estimated')
  t.equal(Math.round(bytesPerDay), Math.round(100 * 35 * 86_400 * 1.6))
  t.equal(estimateVolume(deribit, new Map([['never heard of', { channels: 1, framesPerSecond: 0 }]])).bytesPerDay, 0)
  t.end()
})

t.test('open files', t => {
  const config = parseConfig('exchange: { name: deribit, connectionsMax: 10 }\nsegments: { openFilesMax: 200 }', 'x')
  t.equal(filesNeeded(config), 200 + 20 + 128)
  t.equal(softLimitOf('Max open files            1024                 524288               files     \n'), 1024)
  t.equal(softLimitOf('Max open files            unlimited            unlimited            files     \n'), Infinity)
  t.equal(judgeOpenFiles(1024, 348).outcome, 'ok')
  t.equal(judgeOpenFiles(Infinity, 348).outcome, 'ok')
  t.match(judgeOpenFiles(256, 348), { outcome: 'failed', hint: /LimitNOFILE/ })
  t.end()
})

t.test('checks run side by side, each within its time, and are told in their order', async t => {
  const finding = (check: string): Finding => ({ check, outcome: 'ok', message: check })
  const never = new Promise<Finding[]>(() => undefined)
  const seen: string[] = []
  const check = (name: string, look: Check['look'], withinMs = 10_000): Check => ({
    name,
    withinMs,
    look: signal => {
      seen.push(name)
      return look(signal)
    },
  })
  const checks = [
    check('slow', async () => delay(50, [finding('slow')])),
    check('hangs', () => never, 20),
    check('throws', async () => {
      throw new EdgeError('X', 'what went wrong', { hint: 'do this' })
    }),
    check('quick', async () => [finding('quick')]),
  ]
  const found: Finding[] = []
  for await (const each of findingsOf(checks, signal)) {
    if (found.length === 0) t.equal(seen.length, 4, 'all were started before the first had ended')
    found.push(each)
  }
  t.same(
    found.map(({ check, outcome }) => `${check} ${outcome}`),
    ['slow ok', 'hangs failed', 'throws failed', 'quick ok'],
  )
  t.same(found.map(isHanging), [false, true, false, false])
  t.match(found[2], { message: 'what went wrong', hint: 'do this', facts: { code: 'X' } })
})

t.test('the exit code says it all', t => {
  const found = (outcome: Finding['outcome']): Finding => ({
    check: 'disk',
    outcome,
    message: 'full\nvery',
    hint: 'a\nb',
  })
  t.equal(exitCodeOf([found('ok'), found('skipped')]), 0)
  t.equal(exitCodeOf([found('ok'), found('warning')]), 3)
  t.equal(exitCodeOf([found('warning'), found('failed')]), 1)
  t.equal(summaryOf([found('ok')]), 'ready to run')
  t.match(summaryOf([found('warning'), found('failed')]), /1 error, 1 warning/)
  t.equal(
    linesOf(found('failed'), false),
    ['FAILED   disk            full', `${' '.repeat(25)}very`, `${' '.repeat(25)}→ a`, `${' '.repeat(25)}  b`].join(
      '\n',
    ),
  )
  t.match(linesOf(found('ok'), true), /^✅ {2}disk/)
  t.end()
})

t.test('doctor was silent about conversions that fail and about what is listed and not recorded', t => {
  const dataDir = t.testdir()
  const text = JSON.stringify({ dataDir, host: 'vps1', exchange: { name: 'deribit' } })
  const config = parseConfig(text, join(dataDir, 'edgetape.yaml'))
  t.same(partProblems(config), [], 'nothing to tell of parts that never ran')
  const failing = { failing: 3, last_error: 'ENOSPC: no space left on device' }
  writeStatus(dataDir, 'compactor', failing)
  const names = Array.from({ length: 7 }, (_, n) => `ODD-${n}`)
  writeStatus(dataDir, 'recorder', { not_offered: names }, ...recorderTags(config))
  const findings = partProblems(config)
  t.equal(findings.length, 2)
  matchAll(t, findings, [
    {
      check: 'not offered',
      outcome: 'warning',
      message: /7 channels or instruments .*: ODD-0, ODD-1, ODD-2, ODD-3, ODD-4, …$/,
      facts: { not_offered: names },
    },
    {
      check: 'conversions',
      outcome: 'warning',
      message: /^3 segments, dates or roll-ups could not be made: ENOSPC: no space left/,
      hint: /retried automatically/,
    },
  ])
  t.end()
})

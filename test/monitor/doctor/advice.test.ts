/** What doctor says to do, as somebody would type it. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { parseConfig } from '../../../config/load.js'
import { parseTarget, sshPlaceOf } from '../../../config/target-address.js'
import { deribit } from '../../../exchanges/deribit/main.js'
import { judgeClock, readChrony, readNtpq, readTimedatectl } from '../../../monitor/doctor/clock.js'
import { exchangeFailure, exchangeFindings } from '../../../monitor/doctor/exchange.js'
import { estimateVolume } from '../../../monitor/doctor/expected-volume.js'
import { thrownFinding } from '../../../monitor/doctor/finding.js'
import { softLimitOf } from '../../../monitor/doctor/open-files.js'
import { judgeProgram } from '../../../monitor/doctor/programs.js'
import { judgeDisk, judgeTargetSpace } from '../../../monitor/doctor/space.js'
import { adviceFor } from '../../../monitor/doctor/target-advice.js'
import { EdgeError } from '../../../platform/edge-error.js'
import { classifyExit, exitError } from '../../../syncer/targets/rsync-exit.js'
import { holds } from '../../fixtures/holds.js'

const syncOf = (sync: object) =>
  parseConfig(JSON.stringify({ exchange: { name: 'deribit' }, sync }), '/etc/x.yaml').sync

/** What ssh says in each case, as the syncer understands it. */
const SAID = {
  unknown:
    'No ED25519 host key is known for nas and you have requested strict checking.\nHost key verification failed.',
  changed: '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.',
  refused: 'me@nas: Permission denied (publickey,password).',
}
const errorOf = (stderr: string) => exitError('nas', classifyExit({ code: 255, stderr }))

t.test('commands about keys name the host, the port and the files that ssh uses', t => {
  const cases: [string, object, RegExp[], RegExp?][] = [
    ['unknown', { target: 'me@nas:/tape' }, [/^ {2}ssh-keyscan -t ed25519 nas >> ~\/\.ssh\/known_hosts$/m], / -p /],
    ['unknown', { target: 'me@nas:/tape', sshPort: 2222, knownHosts: '/etc/known' }, [/ssh-keyscan -p 2222 -t ed25519 nas >> \/etc\/known$/m]],
    ['unknown', { target: 'me@[::1]:/tape' }, [/ssh-keyscan -t ed25519 ::1 >>/]],
    ['changed', { target: 'nas.example:tape', sshPort: 22 }, [/ssh-keygen -R nas\.example -f ~\/\.ssh\/known_hosts$/m]],
    ['changed', { target: 'nas:/tape', sshPort: 2222 }, [/ssh-keygen -R '\[nas\]:2222' -f/, /ssh-keyscan -p 2222/]],
    ['refused', { target: 'me@nas:/tape' }, [/line of ~\/\.ssh\/id_ed25519\.pub into/]],
    ['refused', { target: 'me@nas:/tape', sshKey: '/etc/key' }, [/line of \/etc\/key\.pub into/]],
  ] // prettier-ignore
  for (const [said, sync, wanted, never] of cases) {
    const advice = adviceFor(errorOf(SAID[said as keyof typeof SAID]), syncOf(sync)) ?? ''
    for (const pattern of wanted) t.match(advice, pattern, `${said} ${JSON.stringify(sync)}`)
    if (never) t.notMatch(advice, never)
  }
  const open = new EdgeError('X', 'WARNING: UNPROTECTED PRIVATE KEY FILE!')
  t.match(adviceFor(open, syncOf({ target: 'nas:/x', sshKey: '/etc/key' })), /chmod 600 \/etc\/key$/)
  t.end()
})

t.test(
  'a remote of rclone was taken for a host of that name: where no ssh is on the way, nothing is said of keys',
  t => {
    for (const target of ['/mnt/nas', 'rsync://me@nas/module/x', 'rclone:b2:tape', './nas'])
      for (const said of Object.values(SAID)) t.equal(adviceFor(errorOf(said), syncOf({ target })), undefined, target)
    t.equal(
      adviceFor(errorOf('ssh: connect to host nas port 22: Connection refused'), syncOf({ target: 'nas:/x' })),
      undefined,
    )
    t.end()
  },
)

t.test('where ssh goes, however the host is spelled', t => {
  for (const [destination, login, host, path] of [
    ['nas:/tape/', 'nas', 'nas', '/tape/'],
    ['me@nas.example:tape/', 'me@nas.example', 'nas.example', 'tape/'],
    ['me@[fe80::1]:/a@b/c/', 'me@fe80::1', 'fe80::1', '/a@b/c/'],
    ['[::1]:~/tape/', '::1', '::1', '~/tape/'],
  ] as const) {
    t.same(parseTarget(destination), { kind: 'ssh', destination })
    t.same(sshPlaceOf(destination), { login, host, path }, destination)
  }
  t.end()
})

t.test('with more room no verdict gets worse, and with more to record none gets better', t => {
  const RANK = { failed: 0, warning: 1, skipped: 1, ok: 2 }
  const gib = fc.double({ min: 0, max: 5000, noNaN: true })
  const facts = fc.record({
    free: gib,
    data: gib,
    perDay: fc.double({ min: 0.01, max: 500, noNaN: true }),
    keepHours: fc.nat(500),
    minFreeGiB: fc.nat(50),
    shipped: fc.boolean(),
  })
  holds(t, fc.property(facts, gib, ({ free, data, perDay, keepHours, minFreeGiB, shipped }, more) => {
      const GIB = 1024 ** 3
      const volume = (gibPerDay: number) => ({ bytesPerDay: gibPerDay * GIB, from: 'recorded' as const })
      const judged = (free: number, perDay: number) => {
        const found = judgeDisk({ freeBytes: free * GIB, dataBytes: data * GIB, volume: volume(perDay), shipped, keepHours, minFreeGiB })
        const isWell = found.outcome === 'ok'
        assert.equal(found.hint === undefined, isWell, 'what is wrong says what to do, and nothing else does')
        assert.doesNotMatch(found.message, /NaN|Infinity|-\d/)
        return RANK[found.outcome]
      }
      assert.ok(judged(free + more, perDay) >= judged(free, perDay))
      assert.ok(judged(free, perDay + more) <= judged(free, perDay))
      const there = (free: number) => RANK[judgeTargetSpace(free * GIB, volume(perDay)).outcome]
      assert.ok(there(free + more) >= there(free))
    }),
    { numRuns: 300 },
  ) // prettier-ignore
  t.end()
})

t.test('nothing expected, nothing divided by it', t => {
  for (const volume of [undefined, { bytesPerDay: 0, from: 'recorded' as const }]) {
    const found = judgeDisk({ freeBytes: 1e12, dataBytes: 0, volume, shipped: true, keepHours: 48, minFreeGiB: 1 })
    t.match(found, { outcome: 'ok', message: /not known yet/ })
    t.match(judgeTargetSpace(1e12, volume), { outcome: 'ok', message: /free there$/ })
  }
  t.end()
})

t.test('programs of other builds and versions', t => {
  const cases = [
    ['rclone', 'rclone v1.60.1-DEV\n- os/version: debian 12.5', 'warning'],
    ['rclone', 'rclone v1.68.2', 'ok'],
    ['rclone', 'rclone v1.53.3-DEV', 'failed'],
    ['rclone', 'rclone v2.0.0', 'ok'],
    ['ssh', 'OpenSSH_10.0p2 Debian-5, OpenSSL 3.5.0', 'ok'],
    ['ssh', 'Dropbear v2022.83', 'failed'],
    ['rsync', 'rsync  version 10.0.1  protocol version 99', 'ok'],
    ['rsync', '', 'failed'],
  ] as const
  for (const [name, said, outcome] of cases) t.equal(judgeProgram(name, said).outcome, outcome, `${name}: ${said}`)
  t.match(judgeProgram('rsync', '\n\n').message, /^found nothing, wanted 3\.1 or later$/)
  t.end()
})

t.test('answers about the clock that are cut off, or of another shape, are no answers', t => {
  for (const text of ['', 'a,b,c', '\n', 'Reference ID    : A29FC87B'])
    t.equal(readChrony(text), undefined, JSON.stringify(text))
  for (const text of ['NTPSynchronized=maybe', 'NTPSynchronized=yess', 'xNTPSynchronized=yes'])
    t.equal(readTimedatectl(text), undefined, text)
  for (const text of ['', 'ntpq: read: Connection refused', 'stratum=16']) t.equal(readNtpq(text), undefined, text)
  t.same(readNtpq('leap_none, sync_ntp'), { name: 'ntpd', synchronised: true }, 'without an offset')
  t.match(judgeClock([{ name: 'systemd', synchronised: true }]), {
    outcome: 'ok',
    message: 'synchronised, says systemd',
  })
  t.equal(softLimitOf(''), undefined)
  t.equal(softLimitOf('Max open files            0    0    files'), 0)
  t.end()
})

t.test('what an exchange answered, and what it did not say', t => {
  const probe = { families: new Map([['quote', { channels: 2, framesPerSecond: 10 }], ['trades', { channels: 3, framesPerSecond: 0.5 }]]), channel: 'quote.BTC', firstFrameMs: 1234.56, clock: undefined } // prettier-ignore
  const [connected, ...others] = exchangeFindings(deribit, 'wss://x', probe)
  t.match(connected, {
    outcome: 'ok',
    facts: { channels: 5, frames_per_second: 10.5 },
    message: /1,234\.6 ms .* asks for 5 channels, about 10\.5 frames\/s/,
  })
  t.same(others, [], 'it says no time')
  const [feed] = exchangeFindings(deribit, 'wss://x', { ...probe, channel: undefined })
  t.match(feed?.message, /first frame of its feed/)
  t.notMatch(feed?.message, /asks for/, 'of a described feed nobody knows what comes')
  const none = exchangeFindings(deribit, 'wss://x', { ...probe, clock: { offsetUs: -1000, roundTripUs: 4000 } })
  t.match(none[1], { check: 'exchange clock', outcome: 'ok', message: /1 ms behind ours/ })
  t.equal(estimateVolume(deribit, new Map()).bytesPerDay, 0)
  t.end()
})

t.test('an error says what to do itself, or is given what to do', t => {
  t.match(exchangeFailure(new Error('ECONNREFUSED')), { outcome: 'failed', hint: /exchange\.url/ })
  t.match(exchangeFailure(new EdgeError('CODE', 'm', { hint: 'own' })), { hint: 'own', facts: { code: 'CODE' } })
  t.same(thrownFinding('x', 'just a text'), { check: 'x', outcome: 'failed', message: 'just a text' })
  t.end()
})

/** What people are shown: addresses without secrets, figures, lines that fit. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { MAX_DELAY_MS, reconnectDelayMs } from '../../platform/backoff.js'
import { EdgeError, hasErrno, isMachineError, messageOf } from '../../platform/edge-error.js'
import { ageText, countText, daysText, sizeText, tenthsText } from '../../platform/figures.js'
import { secondsLeft } from '../../platform/progress-bar.js'
import { proxyVariables } from '../../platform/proxy.js'
import { shownUrl } from '../../platform/shown-url.js'
import { watchdogMs } from '../../platform/systemd.js'
import { besides, wrapped } from '../../platform/wrapped.js'
import { holds } from '../fixtures/holds.js'

const SECRET = 'hush4711'

t.test('what no URL can be made of was shown with its password', t => {
  for (const [text, shown] of [
    [`http://me:${SECRET}@proxy:99999`, 'http://***@proxy:99999'],
    [`me:${SECRET}@proxy:3128`, '***@proxy:3128'],
    [`me:${SECRET}@proxy:99999`, '***@proxy:99999'],
    [`http://me:${SECRET}/x@proxy:3128`, 'http://***@proxy:3128'],
    [`http://me:${SECRET}@@ proxy`, 'http://***@ proxy'],
    [`wss://feed.example:99999/x?token=${SECRET}&a=1#b`, 'wss://feed.example:99999/x?token=***&a=***#b'],
    ['proxy:3128', 'proxy:3128'],
    ['none', 'none'],
  ] as const)
    t.equal(shownUrl(text), shown)
  const part = fc.stringMatching(/^[A-Za-z0-9 !$%^*(){}|;,.~-]{0,12}$/)
  const host = fc.constantFrom('proxy', 'proxy:3128', 'proxy:99999', '[::1]:80', 'a b', '[::', '')
  holds(
    t,
    fc.property(
      fc.constantFrom('', 'http://', 'socks5://', 'wss://'),
      part,
      part,
      part,
      host,
      (scheme, user, before, behind, host) => {
        const shown = shownUrl(`${scheme}${user}:${before}${SECRET}${behind}@${host}`)
        assert.ok(!shown.includes(SECRET), shown)
      },
    ),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a proxy that is none was told with its password', t => {
  for (const address of [
    `socks5://me:${SECRET}@proxy:1080`,
    `http://me:${SECRET}@proxy:99999`,
    `me:${SECRET}@proxy:99999`,
  ])
    for (const name of ['https_proxy', 'HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY'])
      try {
        proxyVariables(undefined, { [name]: address })
        t.fail(address)
      } catch (error) {
        t.match(error, { code: 'PROXY_UNKNOWN', message: /the proxy is .*proxy:\d+, wanted one such as/ })
        t.notMatch(messageOf(error), SECRET, `${name}=${address}`)
      }
  t.end()
})

t.test('a proxy is what the config says, else what the environment says, with its login spelled for a URL', t => {
  const settings = (login?: string) => ({ url: 'http://proxy:3128', except: ['nas.local'], login })
  const https = (login?: string) => proxyVariables(settings(login), { https_proxy: 'http://other:1' })?.https
  t.equal(https(), 'http://proxy:3128/')
  t.equal(https('me:p@ss:w/rd #1'), 'http://me:p%40ss%3Aw%2Frd%20%231@proxy:3128/', 'a password may hold anything')
  t.equal(https('me'), 'http://me@proxy:3128/')
  t.match(proxyVariables(settings(), {}), { except: 'nas.local,localhost,127.0.0.1,[::1],::1' })
  t.match(proxyVariables(undefined, { ALL_PROXY: 'proxy:1', NO_PROXY: 'a,b' }), { https: 'http://proxy:1/', http: 'http://proxy:1/', except: /^a,b,localhost/ }) // prettier-ignore
  t.match(proxyVariables(undefined, { http_proxy: 'proxy:1', HTTP_PROXY: 'proxy:2' }), {
    https: undefined,
    http: 'http://proxy:1/',
  })
  t.equal(proxyVariables(undefined, { https_proxy: '', NO_PROXY: 'a' }), undefined)
  t.end()
})

const words = fc.array(fc.stringMatching(/^[a-zäß…—]{1,30}$/), { minLength: 1, maxLength: 40 })

t.test('a text is wrapped at its words: none is lost, none is cut, and a line is no longer than it must be', t => {
  holds(
    t,
    fc.property(
      words,
      fc.nat({ max: 12 }),
      fc.nat({ max: 12 }),
      fc.integer({ min: 20, max: 100 }),
      (words, indent, first, width) => {
        const text = wrapped(words.join(' '), ' '.repeat(indent), ' '.repeat(first), width)
        const lines = text.split('\n')
        assert.deepEqual(text.trim().split(/\s+/), words)
        for (const [at, line] of lines.entries()) {
          assert.ok(line.startsWith(' '.repeat(at === 0 ? first : indent)))
          assert.ok(line.length <= width || !/\S \S/.test(line), `${line.length} of ${width}: ${line}`)
          const next = lines[at + 1]?.trim().split(' ')[0]
          if (next !== undefined) assert.ok(line.length + 1 + next.length > width, 'the next word would have fitted')
        }
      },
    ),
    { numRuns: 300 },
  )
  t.equal(besides('--x', 'what it means', 6), '  --x     what it means')
  t.end()
})

t.test('figures keep their digits and never fail, however large, small or negative', t => {
  holds(
    t,
    fc.property(fc.double({ noNaN: true, min: -1e12, max: 1e15 }), fc.maxSafeInteger(), (value, whole) => {
      assert.equal(countText(whole).replaceAll(',', ''), String(whole))
      assert.match(countText(whole), /^-?\d{1,3}(,\d{3})*$/)
      for (const text of [sizeText(value), ageText(value), daysText(value), tenthsText(value)])
        assert.match(text, /^-?[\dm]/)
      assert.ok(!sizeText(value).startsWith('-'))
    }),
  )
  t.same([-5, 0, 999, 1024, 1536, 1023.6, 2 ** 30].map(sizeText), [
    '0 B',
    '0 B',
    '999 B',
    '1 KiB',
    '1.5 KiB',
    '1 KiB',
    '1 GiB',
  ])
  t.same([-1, 0, 9_940, 9_960, 119_400, 7_199_000, 7_200_000, 172_799_000, 172_800_000].map(ageText), [
    '0 s',
    '0 s',
    '9.9 s',
    '10 s',
    '119 s',
    '120 min',
    '2 h',
    '48 h',
    '2 days',
  ])
  t.same([-1, 0.02, 0.05, 0.5, 1, 9.99, 10, 365, 366].map(daysText), [
    '0 hours',
    '0 hours',
    '1 hour',
    '12 hours',
    '1.0 days',
    '9.9 days',
    '10 days',
    '365 days',
    'more than a year',
  ])
  t.end()
})

t.test('an age or a length never looks shorter than one that is shorter', t => {
  const seconds = (text: string) => {
    const [, value = '', unit = ''] = /^([\d.]+) (s|min|h|days)$/.exec(text) ?? []
    return Number(value) * { s: 1, min: 60, h: 3600, days: 86_400 }[unit as 's']
  }
  holds(
    t,
    fc.property(fc.nat({ max: 10 ** 9 }), fc.nat({ max: 10 ** 8 }), (ms, more) => {
      // A coarser unit rounds by half of itself.
      assert.ok(seconds(ageText(ms)) <= seconds(ageText(ms + more)) * 1.05 + 0.1, `${ms} and ${ms + more} ms`)
      assert.ok(Math.abs(seconds(ageText(ms)) - ms / 1000) <= Math.max(0.5, ms / 1000 / 3.5))
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('tries come at longer and longer distances, with a bound, and never sooner than a limit allows', t => {
  holds(
    t,
    fc.property(fc.nat({ max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const usual = reconnectDelayMs(failures, random)
      assert.ok(usual >= 0 && usual <= MAX_DELAY_MS)
      assert.ok(usual <= reconnectDelayMs(failures + 1, random))
      const limited = reconnectDelayMs(failures, random, 'limited')
      assert.ok(limited >= 5000 && limited <= 300_000)
      assert.ok(limited >= reconnectDelayMs(failures, 1, 'limited') / 2 - 1, 'half of it in any case')
    }),
  )
  t.end()
})

t.test('what is left is what was, and a watchdog is ours or none', t => {
  t.same([secondsLeft(10, 5, 5), secondsLeft(10, 0, 5), secondsLeft(1, 1000, 1), secondsLeft(10, 5, 0)], [10, 0, 1, 0])
  const span = (variables: NodeJS.ProcessEnv) => watchdogMs(variables, 7)
  t.same(
    [span({}), span({ WATCHDOG_USEC: '' }), span({ WATCHDOG_USEC: '0' }), span({ WATCHDOG_USEC: 'x' })],
    [undefined, undefined, undefined, undefined],
  )
  t.same(
    [
      span({ WATCHDOG_USEC: '3000000' }),
      span({ WATCHDOG_USEC: '3000', WATCHDOG_PID: '7' }),
      span({ WATCHDOG_USEC: '3000', WATCHDOG_PID: '8' }),
    ],
    [3000, 3, undefined],
  )
  t.end()
})

t.test('an error is of the machine by its code, its number, its words or its cause', t => {
  const withCode = (code: string) => Object.assign(new Error('x'), { code })
  for (const error of [
    withCode('ENOSPC'),
    withCode('Unknown system error -122'),
    new Error('IO Error: Could not write: No space left on device'),
    new EdgeError('X', 'y', { cause: new EdgeError('Z', 'w', { cause: withCode('EIO') }) }),
  ])
    t.equal(isMachineError(error), true, messageOf(error))
  for (const thrown of [
    withCode('ENOENT'),
    new Error('ENOSPC'),
    'ENOSPC',
    undefined,
    new EdgeError('ENOSPC_LIKE', 'x'),
  ])
    t.equal(isMachineError(thrown), false, messageOf(thrown))
  t.equal(hasErrno(withCode('Unknown system error -122'), 'EDQUOT'), true, 'a quota has no name in Node')
  t.equal(messageOf(new Error('Unknown system error -122: write')), 'EDQUOT: write')
  t.equal(messageOf(new Error('Unknown system error -99999')), 'Unknown system error -99999')
  t.end()
})

/** Why a socket ended: what the journal and the person at the keyboard are told, and how long one stays away. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { endOfClose, endOfError, endOfResponse } from '../../recorder/connection/socket-end.js'
import { holds } from '../fixtures/holds.js'

const errorWith = (code: string | number | undefined, message: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code })

t.test('each kind of error says what to look at', t => {
  const cases: [string, RegExp | undefined][] = [
    ['ENOTFOUND', /DNS/],
    ['EAI_AGAIN', /DNS/],
    ['ECONNREFUSED', /nobody listens/],
    ['EHOSTUNREACH', /network of this machine/],
    ['CERT_HAS_EXPIRED', /clock/],
    ['CERT_NOT_YET_VALID', /clock/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /not trusted/],
    ['EPROTO', /no TLS/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /no TLS/],
    ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', /larger than any/],
    ['ECONNRESET', undefined],
    ['XECONNREFUSED', undefined],
  ]
  for (const [code, hint] of cases) {
    const end = endOfError(errorWith(code, 'it broke'))
    t.equal(end.cause, `it broke (${code})`)
    if (hint) t.match(end.hint, hint, code)
    else t.equal(end.hint, undefined, code)
    t.equal(end.patience, 'usual')
  }
  t.end()
})

t.test('a cause is never empty, and says its code once', t => {
  t.equal(endOfError(errorWith('ECONNREFUSED', 'connect ECONNREFUSED ::1')).cause, 'connect ECONNREFUSED ::1')
  t.equal(endOfError(Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })).cause, 'ECONNREFUSED')
  t.equal(endOfError(new RangeError('')).cause, 'RangeError')
  t.equal(endOfError(errorWith(17, 'odd')).cause, 'odd', 'a code that is no text')
  t.equal(endOfError(errorWith(undefined, 'plain')).cause, 'plain')
  t.end()
})

t.test('how long to stay away is believed up to ten minutes, and only where it is a number', t => {
  for (const [header, ms] of [
    ['30', 30_000],
    ['0.5', 500],
    ['86400', 600_000],
    ['1e999', 600_000],
    ['0', undefined],
    ['-5', undefined],
    ['', undefined],
    ['soon', undefined],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    [undefined, undefined],
  ] as const)
    for (const statusCode of [429, 503, 403, 500]) {
      const headers = header === undefined ? {} : { 'retry-after': header }
      t.equal(endOfResponse({ statusCode, headers }).retryAfterMs, ms, `${statusCode} ${header}`)
    }
  t.end()
})

t.test('who limits us is stayed away from for longer', t => {
  const patienceOf = (statusCode: number | undefined) => endOfResponse({ statusCode, headers: {} }).patience
  t.same([429, 403].map(patienceOf), ['limited', 'limited'])
  t.same([200, 301, 404, 407, 500, 502, 503, 504, undefined].map(patienceOf), Array(9).fill('usual'))
  t.match(endOfResponse({ statusCode: 407, headers: {} }), { cause: /proxy/, hint: /EDGETAPE_PROXY_LOGIN/ })
  t.end()
})

t.test('a reason with another word in it, such as "migrated", was taken for a limit', t => {
  for (const [reason, isLimit] of [
    ['rate limit', true],
    ['RATE_LIMIT_EXCEEDED', true],
    ['over_rate', true],
    ['too_many_requests', true],
    ['Too many connections', true],
    ['server migrated', false],
    ['node is separated', false],
    ['generated elsewhere', false],
    ['operator restart', false],
    ['', false],
  ] as const) {
    const end = endOfClose(1000, reason)
    t.equal(end.patience, isLimit ? 'limited' : 'usual', reason)
    t.equal(end.cause, `closed by the exchange: 1000${reason === '' ? '' : ` ${reason}`}`)
  }
  t.match(endOfClose(1008, 'too_slow'), { patience: 'usual', hint: /disk/ })
  t.match(endOfClose(1006, ''), { cause: 'cut by the far end (1006)', hint: /cut without a word/ })
  t.match(endOfClose(4000, 'x'), { hint: /heartbeat/ })
  t.equal(endOfClose(3999, 'x').hint, undefined)
  t.end()
})

t.test('whatever ends a socket, there is a cause in words', t => {
  const end = fc.oneof(
    fc.tuple(fc.string(), fc.string()).map(([code, message]) => endOfError(errorWith(code, message))),
    fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.string()).map(([code, reason]) => endOfClose(code, reason)),
    fc
      .tuple(fc.integer({ min: 0, max: 700 }), fc.string())
      .map(([statusCode, text]) => endOfResponse({ statusCode, headers: { 'retry-after': text } })),
  )
  holds(
    t,
    fc.property(end, ({ cause, hint, retryAfterMs = 1 }) => {
      assert.notEqual(cause, '')
      assert.notEqual(hint, '')
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 600_000)
    }),
  )
  t.end()
})

/** Texts of any length and language, as services take them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { messageOfAlert } from '../../../monitor/alerts/message.js'
import { services, type ServiceName } from '../../../monitor/alerts/services.js'
import { holds } from '../../fixtures/holds.js'

const address = new URL('https://example.com/topic?chat_id=7&routing_key=k')

function bodyOf(name: ServiceName, text: string, key = 'disk', host = 'vps'): object {
  return services[name](address, messageOfAlert({ key, what: 'raised', text, sinceMs: 0 }, host)).body
}

/** The text in it, by the service's own name for it. */
const NAMES: Record<ServiceName, readonly string[]> = {
  ...{ webhook: ['text'], slack: ['text'], discord: ['content'], telegram: ['text'], ntfy: ['message'] },
  pagerduty: ['payload', 'summary'],
}
const textIn = (name: ServiceName, body: object) =>
  NAMES[name].reduce<unknown>((within, key) => Reflect.get(within as object, key), body)
const LIMITS: Partial<Record<ServiceName, (text: string) => boolean>> = {
  discord: text => text.length <= 2000,
  telegram: text => text.length <= 4096,
  ntfy: text => Buffer.byteLength(text) <= 4096,
  pagerduty: text => text.length <= 1024,
}
const names = Object.keys(services) as ServiceName[]

t.test('a long text in another script was refused by ntfy, which counts bytes, again and again', t => {
  for (const sign of ['€', 'ü', 'x', '🙂', 'é']) {
    const body = bodyOf('ntfy', sign.repeat(9000))
    t.ok(Buffer.byteLength(JSON.stringify(body)) <= 8192, `${sign}: all of it`)
    const text = textIn('ntfy', body)
    t.ok(typeof text === 'string' && LIMITS.ntfy?.(text) === true, `${sign}: the text`)
    t.match(text, new RegExp(`^\\[ALERT\\] edgetape vps: (${sign})+…$`), 'cut between two characters')
  }
  t.end()
})

t.test('a text was cut in the middle of a character', t => {
  const isWhole = (text: unknown) => {
    assert.ok(typeof text === 'string')
    assert.doesNotThrow(() => encodeURIComponent(text), text)
    return text
  }
  const sign = fc.constantFrom('🙂', 'a', '𝔘', 'ü', '& <b>')
  holds(t, fc.property(fc.constantFrom(...names), fc.nat(6), fc.array(sign, { minLength: 1, maxLength: 5 }), (name, more, signs) => {
      const pattern = signs.join('')
      const text = 'x'.repeat(more) + pattern.repeat(Math.ceil(5000 / pattern.length))
      const told = isWhole(textIn(name, bodyOf(name, text)))
      assert.ok(LIMITS[name]?.(told) ?? told.length >= text.length, `${name}: ${told.length}`)
      assert.ok(told.startsWith('[ALERT] edgetape vps: '))
    }),
    { numRuns: 200 },
  ) // prettier-ignore
  t.end()
})

t.test('what fits is not cut, to the last character', t => {
  for (const name of names) {
    const head = '[ALERT] edgetape vps: '
    const end = '; type: edgetape retention --dry-run'
    const room = { discord: 2000, telegram: 4096, ntfy: 4000, pagerduty: 1024, webhook: 9000, slack: 9000 }[name]
    const text = 'x'.repeat(room - head.length - end.length)
    t.equal(textIn(name, bodyOf(name, text)), `${head}${text}${end}`, name)
  }
  t.end()
})

t.test('what an address bears for the body stands in no address', t => {
  for (const name of ['telegram', 'pagerduty'] as const) {
    const { url, body } = services[name](
      address,
      messageOfAlert({ key: 'a', what: 'cleared', text: 'b', sinceMs: 0 }, 'h'),
    )
    const [query, member] = name === 'telegram' ? ['routing_key=k', 'chat_id'] : ['chat_id=7', 'routing_key']
    t.equal(url, `https://example.com/topic?${query}`)
    t.equal(Reflect.get(body, member), name === 'telegram' ? '7' : 'k')
  }
  t.end()
})

t.test('one incident from an alert to its all-clear, and no two alerts share one', t => {
  const keyOf = (what: 'raised' | 'still' | 'cleared', key: string, host: string) =>
    Reflect.get(
      services.pagerduty(address, messageOfAlert({ key, what, text: 'x', sinceMs: 0 }, host)).body,
      'dedup_key',
    )
  const all = ['disk', 'disk refuses'].flatMap(key => ['vps1', 'vps2'].map(host => [key, host] as const))
  const keys = all.map(([key, host]) => keyOf('raised', key, host))
  t.same(all.map(([key, host]) => keyOf('cleared', key, host)), keys) // prettier-ignore
  t.same(all.map(([key, host]) => keyOf('still', key, host)), keys) // prettier-ignore
  t.equal(new Set(keys).size, all.length)
  t.end()
})

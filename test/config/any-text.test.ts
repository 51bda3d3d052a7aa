/**
 * Config files as people and programs spoil them: whatever stands there, it is a config or a list of complaints that name
 * file, line and key; never a stack trace. A failure prints its seed.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { configKeys, configHelp, type ConfigKey } from '../../config/keys.js'
import { parseConfig } from '../../config/load.js'
import type { Config } from '../../config/schema.js'
import { EdgeError } from '../../platform/edge-error.js'
import { packageRoot } from '../../platform/package-info.js'
import { holds } from '../fixtures/holds.js'

const PATH = '/etc/edgetape/edgetape.yaml'
const EXAMPLE = readFileSync(join(packageRoot, 'config/edgetape.example.yaml'), 'utf8')

/** The complaints about a text; none where it is a config. Anything else that is thrown fails the test. */
function complaintsOf(text: string): string[] {
  try {
    parseConfig(text, PATH)
    return []
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    assert.equal(error.code, 'CONFIG_INVALID')
    assert.equal(error.hint, 'edgetape help config lists every key')
    return error.message.split(`\n${PATH}`).map((line, at) => (at === 0 ? line : PATH + line))
  }
}

function check(text: string): string[] {
  const complaints = complaintsOf(text)
  const lines = text.split('\n').length
  for (const complaint of complaints) {
    assert.ok(complaint.startsWith(`${PATH}:`), complaint)
    const [, line] = /^:(\d+):/.exec(complaint.slice(PATH.length)) ?? []
    if (line !== undefined) assert.ok(Number(line) >= 1 && Number(line) <= lines, `${complaint} of ${lines} lines`)
    assert.ok(complaint.length < 2000 + text.length, 'no longer than what it is about')
  }
  return complaints
}

const said = (text: string) => check(text).join('\n')

t.test('a config of which a piece was changed is one, or what is complained of is a line of it', t => {
  const piece = fc.constantFrom(
    ...[
      ' ',
      '\n',
      '\n  ',
      ':',
      '- ',
      '#',
      '"',
      "'",
      '&a ',
      '*a',
      '!!str ',
      '{',
      '}',
      '[',
      ']',
      '? ',
      '| ',
      '> ',
      '%',
      '\t',
    ],
    ...[
      '<<: *a',
      '__proto__: 1\n',
      'constructor: {}\n',
      '.nan',
      '.inf',
      '-1',
      '1e999',
      '~',
      'null',
      '2026-11-22',
      '0x1F',
      '\u0000',
      'ü',
    ],
  )
  const change = fc.record({ at: fc.nat({ max: EXAMPLE.length }), cut: fc.nat({ max: 30 }), put: piece })
  holds(
    t,
    fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
      let text = EXAMPLE
      for (const { at, cut, put } of changes) text = text.slice(0, at) + put + text.slice(at + cut)
      check(text)
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('any YAML in place of any key is taken or complained of by that key', t => {
  const keys = configKeys().filter(({ key }) => !key.startsWith('exchange.'))
  const value = fc.jsonValue({ maxDepth: 2 })
  holds(
    t,
    fc.property(fc.constantFrom(...keys), value, ({ key }, value) => {
      const complaints = check(stringify({ exchange: { name: 'deribit' }, ...nested(key, value) }))
      for (const complaint of complaints) assert.ok(complaint.includes(` ${key}`), `${complaint}: of ${key}`)
    }),
    { numRuns: 250 },
  )
  t.end()
})

t.test('texts that are no mapping, or that a parser could be led astray by, are complained of', t => {
  for (const text of [
    '',
    '[]',
    '5',
    'x',
    '- exchange',
    'exchange',
    'exchange:',
    'exchange: []',
    'exchange: deribit',
    'exchanges: []',
  ])
    t.not(check(text).length, 0, JSON.stringify(text))
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
  for (const [at, name] of Array.from('bcdefghij').entries())
    bomb.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefghij'[at] ?? ''}`).join(', ')}]`)
  t.match(said(bomb.join('\n')), /^[^\n]*alias[^\n]*$/i, 'aliases that expand without end')
  t.same(check('exchange: { name: deribit }\nhost: &x [*x]'), [`${PATH}:2: *x stands within what it names`])
  t.same(check('exchange: { name: deribit }\nsync: &s { window: *s }'), [`${PATH}:2: *s stands within what it names`])
  t.not(check('exchange: { name: deribit }\nhost: *nobody').length, 0)
  t.match(said('exchange: { name: deribit }\nexchange: { name: okx }'), /^\S+:2: .*unique/, 'a key that stands twice')
  t.match(said('exchange: { name: deribit }\n__proto__: { host: x }'), /^\S+:2: __proto__: unknown key/)
  t.end()
})

t.test('what was complained of was printed with the login that stood in it', t => {
  const secret = 'hush4711'
  for (const [key, value] of [
    ['proxy.url', `http://me:${secret}@proxy:3128`],
    ['proxy.url', `http://me:${secret}@proxy:99999`],
    ['alerts.webhook', `ftp://me:${secret}@hook/x`],
    ['alerts.webhook', `wss://hook/x?token=${secret}`],
  ] as const) {
    const complaints = check(stringify({ exchange: { name: 'deribit' }, ...nested(key, value) }))
    t.match(complaints[0], `${key}: found "`)
    t.notMatch(complaints.join('\n'), secret)
  }
  t.match(said('exchange: { name: deribit }\nsync: { target: me@nas }'), /found "me@nas", wanted .*did you mean me@nas:\/path/, 'a host is none') // prettier-ignore
  t.end()
})

function nested(key: string, value: unknown): Record<string, unknown> {
  const [section = '', name] = key.split('.')
  return { [section]: name === undefined ? value : { [name]: value } }
}

const valueAt = (config: Config, key: string): unknown =>
  key.split('.').reduce((value: unknown, part) => (value as Record<string, unknown> | undefined)?.[part], config)

t.test('a number is taken up to its bounds, both included, and refused beyond them by the very bound', t => {
  const numbers = configKeys().filter(
    ({ key, fallback }) => /^\d+(\.\d+)?$/.test(fallback) && !key.startsWith('exchange.'),
  )
  t.ok(numbers.length > 30)
  const at = ({ key }: ConfigKey, value: unknown) =>
    said(stringify({ exchange: { name: 'deribit' }, ...nested(key, value) }))
  for (const key of numbers) {
    const tooLow = at(key, -(2 ** 52))
    const least = Number(/wanted (?:a whole number|([\d.]+) or more)/.exec(tooLow)?.[1] ?? 0)
    t.match(at(key, least - 1), /wanted /, `${key.key} below ${least}`)
    t.equal(at(key, least), '', `${key.key}: ${least}`)
    t.match(at(key, '5'), /^\S+ \S+: found "5", wanted a/, `${key.key} as text`)
    for (const value of [NaN, Infinity]) t.match(at(key, value), /wanted a/, `${key.key}: ${value}`)
    const tooHigh = at(key, 2 ** 52)
    const most = Number(/wanted ([\d.]+) or less/.exec(tooHigh)?.[1] ?? NaN)
    if (Number.isNaN(most)) continue
    t.equal(at(key, most), '', `${key.key}: ${most}`)
    t.match(at(key, most + 1), `wanted ${most} or less`, `${key.key} above ${most}`)
  }
  t.end()
})

t.test('each default is what a config says that says nothing, and may be said', t => {
  const config = parseConfig('exchange: { name: deribit }', PATH)
  for (const { key, fallback } of configKeys()) {
    if (fallback === '' || key.startsWith('exchange.') || fallback.includes('/')) continue
    t.same(valueAt(config, key), parse(fallback), key)
    t.same(
      parseConfig(stringify({ exchange: { name: 'deribit' }, ...nested(key, parse(fallback)) }), PATH),
      config,
      key,
    )
  }
  for (const { key } of configKeys()) t.match(configHelp(key), key)
  t.equal(configHelp('none'), 'No config key begins with none.')
  t.end()
})

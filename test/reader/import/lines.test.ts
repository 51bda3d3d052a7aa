import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { lineHead } from '../../../formats/raw-line.js'
import { timeText } from '../../../platform/moment.js'
import type { ForeignLine } from '../../../reader/import/foreign-line.js'
import { jsonLineReader, memberOf } from '../../../reader/import/json-line.js'
import { tardisLine } from '../../../reader/import/tardis-line.js'
import { proveLine } from '../../../reader/verify/raw/line-proof.js'
import { holds } from '../../fixtures/holds.js'

const us = fc.integer({ min: 978_307_200_000_000, max: 4_000_000_000_000_000 })
const json = fc.oneof(fc.object({ maxDepth: 3 }), fc.array(fc.jsonValue(), { maxLength: 3 })).map(value => JSON.stringify(value)) // prettier-ignore
/** Any bytes, and such as nearly are what is wanted. */
const junk = fc.oneof(
  fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes)),
  fc.tuple(us, json, fc.nat(), fc.nat({ max: 255 })).map(([time, text, at, byte]) => {
    const line = Buffer.from(`${timeText(time)} ${text}`)
    line[at % line.length] = byte
    return line
  }),
  fc.tuple(us, json, fc.nat(), fc.nat({ max: 255 })).map(([time, text, at, byte]) => {
    const line = Buffer.from(`{"ts":${time},"frame":${text}}`)
    line[at % line.length] = byte
    return line
  }),
)
const form = { timeField: 'ts', timeUnit: 'us', frameField: 'frame', only: undefined } as const

/** What is taken stands in a segment as it is. */
function requireProven(found: ForeignLine): boolean {
  if (found.kind !== 'frame') return false
  const head = Buffer.from(lineHead(found.recvUs, 'import', 1, 'frame'))
  const line = Buffer.concat([head, found.frame, Buffer.from('}')])
  assert.equal(proveLine(line).fault, undefined, line.toString())
  assert.ok(!found.frame.includes(0x0a))
  return true
}

t.test('a line of Tardis is its time and its frame, byte for byte, also in files of Windows', t => {
  holds(
    t,
    fc.property(us, json, fc.stringMatching(/^\d?$/), fc.boolean(), (recvUs, text, tenth, isWindows) => {
      const line = `${timeText(recvUs).slice(0, -1)}${tenth}Z ${text}${isWindows ? '\r' : ''}`
      const found = tardisLine(Buffer.from(line))
      assert.deepEqual(found, { kind: 'frame', recvUs, frame: Buffer.from(text) })
    }),
  )
  for (const blank of ['', '\r']) t.same(tardisLine(Buffer.from(blank)), { kind: 'lost' })
  t.end()
})

t.test('whatever bytes a file holds: a line is taken where a segment can hold it, and nothing is thrown', t => {
  let taken = 0
  holds(
    t,
    fc.property(junk, line => {
      for (const read of [tardisLine, jsonLineReader(form), jsonLineReader({ ...form, frameField: undefined })])
        if (requireProven(read(line))) taken++
    }),
    { numRuns: 3000 },
  )
  t.ok(taken > 100, `${taken} lines were taken`)
  t.end()
})

t.test('bytes that are no UTF-8 made segments that verify calls damaged: such lines go to quarantine', t => {
  const spoilt = (text: string) => Buffer.from(text.replace('?', '\xff'), 'latin1')
  t.match(tardisLine(spoilt('2026-11-22T14:00:00.000000Z {"a":"?"}')), { kind: 'broken', reason: /UTF-8/ })
  t.match(jsonLineReader(form)(spoilt('{"ts":1790000000000000,"frame":{"a":"?"}}')), {
    kind: 'broken',
    reason: /UTF-8/,
  })
  const text = JSON.stringify({ ts: 1_790_000_000_000_000, frame: '{"a":"ü"}' })
  t.match(jsonLineReader(form)(Buffer.from(text)), { kind: 'frame' }, 'letters beyond ASCII are fine')
  t.end()
})

const key = fc.oneof(fc.constantFrom('a', 'b', '', '__proto__', 'a.b', '"', '\\', 'ü'), fc.string({ maxLength: 3 }))
const value = fc.oneof(fc.jsonValue(), fc.dictionary(key, fc.jsonValue(), { maxKeys: 4, noNullPrototype: true }))
const space = fc.constantFrom('', ' ', '\t', '  ')

t.test('a member is found where a parser finds it, with its value as it is spelled', t => {
  holds(
    t,
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 6 }), space, key, key, (members, gap, first, second) => {
      const text = `{${gap}${members.map(([name, value]) => `${JSON.stringify(name)}${gap}:${gap}${JSON.stringify(value)}`).join(`${gap},${gap}`)}${gap}}`
      const object = Buffer.from(text)
      const own = (value: unknown, name: string) =>
        typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined
      const parsed: unknown = JSON.parse(text)
      for (const path of [[first], [first, second], [second, first, first]]) {
        const wanted = path.reduce(own, parsed)
        const found = memberOf(object, path)
        if (wanted === undefined) assert.equal(found, undefined, path.join(' / '))
        else assert.deepEqual(JSON.parse(found?.toString('utf8') ?? ''), wanted)
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('ids beyond what a number holds, escapes and the order of members come through as they are', t => {
  const frame = '{"z":99999999999999999999,"a":1.50,"text":"\\u00fc\\/","list":[ 1 , 2 ]}'
  const read = jsonLineReader({ ...form, timeField: 'meta.at', timeUnit: 'ms' })
  const line = `{"meta":{"at":1790000000000.25},"frame":${frame}}`
  t.same(read(Buffer.from(line)), { kind: 'frame', recvUs: 1_790_000_000_000_250, frame: Buffer.from(frame) })
  const asText = `{"frame":${JSON.stringify(frame)},"meta":{"at":"1790000000000.25"}}`
  t.same(
    read(Buffer.from(asText)),
    { kind: 'frame', recvUs: 1_790_000_000_000_250, frame: Buffer.from(frame) },
    'as text',
  )
  const whole = jsonLineReader({ ...form, frameField: undefined })
  t.same(whole(Buffer.from('{"ts":1790000000000000,"a":1}\r')), { kind: 'frame', recvUs: 1_790_000_000_000_000, frame: Buffer.from('{"ts":1790000000000000,"a":1}') }) // prettier-ignore
  t.end()
})

t.test('lines of another kind are passed over, and what cannot be taken says why', t => {
  const read = jsonLineReader({ ...form, only: { field: 'type', value: 'message' } })
  const line = (more: object) => Buffer.from(JSON.stringify({ ts: 1_790_000_000_000_000, ...more }))
  t.match(read(line({ type: 'message', frame: {} })), { kind: 'frame' })
  for (const other of [{ type: 'open', frame: {} }, { frame: {} }, { type: ['message'], frame: {} }])
    t.same(read(line(other)), { kind: 'nothing' }, JSON.stringify(other))
  t.same(read(Buffer.from('')), { kind: 'nothing' })
  const plain = jsonLineReader(form)
  for (const [text, reason] of [
    ['{"ts":1790000000000000,"frame":{}', /no JSON/],
    ['5', /no JSON/],
    ['{"frame":{}}', /ts is no time in us/],
    ['{"ts":null,"frame":{}}', /ts is no time in us/],
    ['{"ts":1790000000,"frame":{}}', /ts is no time in us/],
    ['{"ts":1790000000000000}', /frame holds no frame/],
    ['{"ts":1790000000000000,"frame":"no json"}', /frame holds no frame/],
    ['{"ts":1790000000000000,"frame":"{}\\n{}"}', /frame holds no frame/],
  ] as const)
    t.match(plain(Buffer.from(text)), { kind: 'broken', reason }, text)
  t.end()
})

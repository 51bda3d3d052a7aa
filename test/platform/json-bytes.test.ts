/** The walk over JSON in its bytes, against the parser, and over bytes that are no JSON. A failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { jsonPieces } from '../../platform/json-pieces.js'
import { isJsonObject, parsedJson, parsedObject } from '../../platform/json-object.js'
import {
  elementsAt,
  endOfPlainString,
  endOfString,
  endOfValue,
  isText,
  skipBlanks,
  standsAt,
  wholeNumber,
} from '../../platform/json-bytes.js'
import { holds } from '../fixtures/holds.js'

/** Many strings, for what stands in them looks like the end of one. */
const quoted = fc
  .array(fc.constantFrom('"', '\\', ']', '}', ',', 'é', 'a', '\n'), { maxLength: 8 })
  .map(parts => parts.join(''))
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' }),
  quoted,
  fc.array(fc.oneof(quoted, fc.dictionary(quoted, quoted, { maxKeys: 3 })), { maxLength: 4 }),
)
/** Spelled as some writers do: blanks wherever they may stand. */
const blanks = fc.constantFrom('', ' ', '\n', '\t\r\n  ')
const spelled = fc
  .tuple(value, fc.constantFrom(undefined, 1, '\t', ' \n'))
  .map(([value, by]) => JSON.stringify(value, null, by))
const anything = fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes))
/** Bytes that look like JSON more than they are. */
const likeJson = fc
  .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', ' ', '1', 'é', 'null', '\\u', '\\"'), {
    maxLength: 40,
  })
  .map(parts => Buffer.from(parts.join('')))

t.test('a value ends where the parser says, whatever stands before and behind it', t => {
  const behind = fc.constantFrom('', ',', '}', ']', ' ', '\n,"x":1}')
  holds(
    t,
    fc.property(anything, spelled, behind, (before, text, behind) => {
      const bytes = Buffer.concat([before, Buffer.from(text), Buffer.from(behind)])
      const from = before.length
      const end = from + Buffer.byteLength(text)
      assert.equal(endOfValue(bytes, from), end)
      if (text.startsWith('"')) {
        assert.equal(endOfString(bytes, from), end)
        assert.equal(endOfPlainString(bytes, from), text.includes('\\') ? -1 : end)
      } else {
        assert.equal(endOfString(bytes, from), -1)
        assert.equal(endOfPlainString(bytes, from), -1)
      }
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a value that is cut ends nowhere, but for a number, which cannot know', t => {
  holds(
    t,
    fc.property(spelled, fc.nat(), (text, at) => {
      if (!/^["[{]/.test(text)) return
      const bytes = Buffer.from(text)
      assert.equal(endOfValue(bytes.subarray(0, at % bytes.length), 0), -1)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('the elements of a list are those of the parser, each in its own spelling', t => {
  holds(
    t,
    fc.property(
      fc.array(fc.tuple(spelled, blanks, blanks), { maxLength: 8 }),
      anything,
      blanks,
      (elements, before, blank) => {
        const list = `[${elements.map(([text, before, behind]) => before + text + behind).join(',') || blank}]`
        const bytes = Buffer.concat([before, Buffer.from(list), Buffer.from(']]"')])
        assert.deepEqual(
          [...elementsAt(bytes, before.length)].map(String),
          elements.map(([text]) => text),
        )
      },
    ),
    { numRuns: 300 },
  )
  const ids = '[9007199254740993, 1e999,-0 , 123456789012345678901234567890]'
  t.same([...elementsAt(Buffer.from(ids), 0)].map(String), ['9007199254740993', '1e999', '-0', '123456789012345678901234567890']) // prettier-ignore
  t.end()
})

t.test('of bytes that are no JSON nothing is read beyond their end, and every walk comes to one', t => {
  holds(
    t,
    fc.property(fc.oneof(anything, likeJson), fc.nat({ max: 90 }), (bytes, from) => {
      for (const end of [endOfValue, endOfString, endOfPlainString]) {
        const at = end(bytes, from)
        assert.ok(
          at === -1 || (at > from && at <= bytes.length) || (end === endOfValue && at === from),
          `${end.name}: ${at}`,
        )
      }
      if (from <= bytes.length) {
        const blank = skipBlanks(bytes, from)
        assert.ok(blank >= from && blank <= bytes.length)
      }
      const elements = [...elementsAt(bytes, from)]
      assert.ok(elements.length <= bytes.length)
      assert.ok(elements.every(({ length }) => length > 0))
    }),
    { numRuns: 1000 },
  )
  t.end()
})

t.test('texts and whole numbers are found where they stand and nowhere beside', t => {
  holds(
    t,
    fc.property(anything, anything, anything, (before, text, behind) => {
      const bytes = Buffer.concat([before, text, behind])
      const [from, to] = [before.length, before.length + text.length]
      assert.ok(standsAt(bytes, from, text) && isText(bytes, from, to, text))
      assert.equal(standsAt(bytes, bytes.length - text.length + 1, text), false, 'beyond the end')
      assert.equal(standsAt(bytes, -1, text), false)
      assert.equal(isText(bytes, from, to + 1, text), false)
      if (text.length > 0) assert.equal(isText(bytes, from, to, Buffer.concat([text.subarray(1), text.subarray(0, 1)])), text.equals(Buffer.concat([text.subarray(1), text.subarray(0, 1)]))) // prettier-ignore
    }),
  )
  const digits = fc.oneof(
    fc.nat().map(String),
    fc.stringMatching(/^[0-9]{1,20}$/),
    fc.stringMatching(/^[0-9]{14,17}$/),
    fc.stringMatching(/^[0-9.eE+ -]{0,8}$/),
  )
  holds(
    t,
    fc.property(digits, anything, anything, (text, before, behind) => {
      const bytes = Buffer.concat([before, Buffer.from(text), behind])
      const found = wholeNumber(bytes, before.length, before.length + text.length)
      assert.equal(found, /^\d{1,15}$/.test(text) ? Number(text) : -1, text)
      assert.equal(wholeNumber(bytes, bytes.length, bytes.length + 1), -1)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('a text is parsed, or is no JSON, and an object is one', t => {
  holds(
    t,
    fc.property(
      fc.oneof(
        spelled,
        fc.string(),
        fc.json().map(text => text.slice(0, -1)),
      ),
      text => {
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expected = undefined
        }
        assert.deepEqual(parsedJson(text), expected)
        assert.deepEqual(
          parsedJson(Buffer.from(text)),
          expected === undefined ? undefined : JSON.parse(Buffer.from(text).toString()),
        )
        const isObject = expected !== null && typeof expected === 'object' && !Array.isArray(expected)
        assert.deepEqual(parsedObject(text), isObject ? expected : undefined)
        assert.equal(isJsonObject(expected), isObject)
      },
    ),
    { numRuns: 300 },
  )
  t.end()
})

t.test('an object in pieces is the text of JSON.stringify, line by line', t => {
  holds(
    t,
    fc.property(fc.dictionary(fc.string(), fc.oneof(value, fc.constant(undefined))), object => {
      const pieces = [...jsonPieces(object)]
      assert.equal(pieces.join('\n'), JSON.stringify(object, null, 2))
      const lazy = Object.entries(object).map(([key, one]) => [key, Array.isArray(one) ? one.values() : one] as const)
      assert.deepEqual([...jsonPieces(Object.fromEntries(lazy))], pieces, 'lists that are made while they are told')
    }),
    { numRuns: 200 },
  )
  t.end()
})

/** A feed that a config describes: pointers into any JSON, what is said and answered, and when. */
import assert from 'node:assert/strict'
import { deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t from 'tap'
import { Answers } from '../../../exchanges/generic/answers.js'
import { generic } from '../../../exchanges/generic/adapter.js'
import { genericConfig } from '../../../exchanges/generic/config.js'
import { find, parsePointer, textAt } from '../../../exchanges/generic/json-pointer.js'
import type { SessionLink } from '../../../exchanges/adapter.js'
import { movedTime } from '../../fixtures/moved-time.js'
import { silentLink } from '../okx/silent-link.js'
import { holds } from '../../fixtures/holds.js'

/** Every place in a value, and what stands there. */
function* places(value: unknown, pointer = ''): Generator<{ pointer: string; value: unknown }> {
  yield { pointer, value }
  if (typeof value !== 'object' || value === null) return
  for (const [key, member] of Object.entries(value))
    yield* places(member, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
}

/** Keys that are spelled in JSON as they are; others, with escapes, are not found. */
const key = fc.oneof(
  fc.constantFrom('a', '0', '1', '~', '/', '', 'channel', 'ключ', '~1'),
  fc.stringMatching(/^[a-z0-9~/ {}[\],:é]{0,6}$/),
)
const { json } = fc.letrec<{ json: unknown }>(tie => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.string(),
      fc.constantFrom('}', '"', '\\', ',"a":1', '[{'),
    ),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

t.test('a pointer leads to what a parser finds there, in any JSON however it is indented; and nowhere else', t => {
  holds(
    t,
    fc.property(json, fc.constantFrom(0, 1, '\t'), fc.array(key, { maxLength: 3 }), (value, indent, other) => {
      const frame = Buffer.from(JSON.stringify(value, null, indent))
      const known = new Map<string, unknown>()
      for (const { pointer, value: member } of places(value)) {
        known.set(pointer, member)
        const span = find(frame, parsePointer(pointer))
        assert.ok(span, `${pointer} in ${frame.toString()}`)
        assert.deepEqual(JSON.parse(frame.toString('utf8', span.from, span.to)), member)
        const text = textAt(frame, parsePointer(pointer), 1000)
        if (typeof member === 'number' || typeof member === 'boolean') assert.equal(text, String(member))
        if (typeof member === 'string' && !/[\\"\u0000-\u001f\u007f-\u009f\ud800-\udfff]/.test(member))
          assert.equal(text, member)
        if (pointer !== '' && typeof member === 'object' && member !== null) assert.equal(text, undefined, 'no text')
      }
      const pointer = other.map(step => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
      if (!known.has(pointer)) assert.equal(find(frame, parsePointer(pointer)), undefined, pointer)
    }),
    { numRuns: 200 },
  )
  t.end()
})

t.test('an answer that is sent as JSON is JSON, whatever stands in the frame that it takes over', t => {
  holds(
    t,
    fc.property(
      fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.string()), fc.constant(undefined)),
      id => {
        const answers = new Answers([
          { at: '/op', is: 'ping', send: { op: 'pong', id: '{{/id}}', list: ['{{/id}}', 5] } },
        ])
        const frame = Buffer.from(JSON.stringify({ op: 'ping', id }))
        const isShort = JSON.stringify(id ?? null).length <= 256
        const taken = id === undefined || !isShort ? null : id
        assert.deepEqual(JSON.parse(answers.to(frame) ?? ''), { op: 'pong', id: taken, list: [taken, 5] })
      },
    ),
  )
  t.end()
})

const configOf = (over: object) =>
  genericConfig.parse({ adapter: 'generic', name: 'feed', url: 'ws://127.0.0.1:1', ...over })

function session(over: object) {
  const sent: string[] = []
  const complaints: object[] = []
  const journal: object[] = []
  let pings = 0
  const link: SessionLink = { ...silentLink({ sent, complaints, journal }), ping: () => pings++ }
  const adapter = generic(configOf(over))
  return { adapter, session: adapter.openSession(link, () => new Set()), sent, complaints, journal, pings: () => pings }
}

t.test(
  'what is to be said is said in its order, with the pause between; then pings, until the connection ends',
  async t => {
    await movedTime(async pass => {
      const {
        session: one,
        sent,
        journal,
        pings,
      } = session({
        send: ['hello', { op: 'subscribe', args: ['a'] }, ['list']],
        sendGapMs: 1000,
        pingSeconds: 20,
        families: { trades: ['t*'] },
      })
      const started = one.start()
      await pass(0)
      t.same([sent, [...one.channels]], [['hello'], []])
      await pass(1000)
      t.same(sent, ['hello', '{"op":"subscribe","args":["a"]}'])
      t.same(journal, [])
      await pass(1000)
      await started
      t.same(sent[2], '["list"]')
      t.same(journal, [{ event: 'subscribed', channels: ['frames.trades', 'frames'] }], 'once all is said')
      t.same([...one.channels].sort(), ['frames', 'frames.trades'], 'all that may come of it')
      await pass(60_000, 500)
      t.equal(pings(), 3)
      await one.update()
      one.closed()
      await pass(60_000, 500)
      t.same([sent.length, pings()], [3, 3])
    })
  },
)

t.test('a connection that ends while it is still speaking says no more', async t => {
  await movedTime(async pass => {
    const { session: one, sent } = session({ send: ['a', 'b', 'c'], sendGapMs: 5000, pingSeconds: 2, pingText: 'ping' })
    const started = t.rejects(one.start(), { name: 'AbortError' })
    await pass(6000)
    t.same(sent, ['a', 'ping', 'ping', 'b', 'ping'])
    one.closed()
    await started
    await pass(60_000, 500)
    t.equal(sent.length, 5)
  })
})

t.test('neither pause nor pings: all is said at once, and nothing after it', async t => {
  await movedTime(async pass => {
    const { session: one, sent, pings } = session({ send: ['a', 'b'], sendGapMs: 0, pingSeconds: 0 })
    await one.start()
    t.same(sent, ['a', 'b'])
    await pass(100_000, 1000)
    t.same([sent.length, pings()], [2, 0])
    one.closed()
  })
})

t.test('frames are filed by their channel, compressed or not, and what cannot be unpacked is kept and told', t => {
  const text = Buffer.from('{"channel":"trade.BTC"}')
  const families = { trades: ['trade.*'] }
  for (const [decode, packed] of [
    ['gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
  ] as const) {
    const { session: one, complaints, adapter } = session({ decode, families })
    t.equal(adapter.isCompressed, true)
    t.equal(one.data(packed, 1, true), undefined, 'it is looked into behind the stamp')
    t.same(one.control(packed, true), { family: 'frames.trades' })
    t.equal(one.data(text, 1, false), 'frames.trades', 'text is text')
    t.same(one.control(Buffer.from('no such thing'), true), { family: 'other' })
    t.equal(complaints.length, 1)
    t.match(complaints[0], { event: 'odd_frame', facts: { bytes: 13 } })
  }
  const plain = session({ families })
  t.equal(plain.adapter.isCompressed, false)
  t.equal(plain.session.data(text, 1, false), 'frames.trades')
  t.equal(plain.session.data(Buffer.from('pong'), 1, false), undefined)
  t.same(plain.session.control(Buffer.from('pong'), false), { family: 'other' })
  t.same(plain.complaints, [])
  t.end()
})

t.test('a feed that asks is answered whatever its channel, and its frame is filed all the same', t => {
  const { session: one, sent } = session({
    answers: [
      { at: '/ping', send: { pong: '{{/ping}}' } },
      { at: '', is: 'PING', send: 'PONG' },
    ],
    channelAt: ['/stream', '/e'],
    families: { trades: ['trade'] },
  })
  t.equal(one.data(Buffer.from('{"e":"trade","ping":5}'), 1, false), undefined)
  t.same(one.control(Buffer.from('{"e":"trade","ping":5}'), false), { family: 'frames.trades' })
  t.same(one.control(Buffer.from('PING'), false), { family: 'other' })
  t.same(one.control(Buffer.from('{"stream":"x","e":"trade"}'), false), { family: 'frames' }, 'the first place counts')
  t.same(sent, ['{"pong":5}', 'PONG'])
  t.end()
})

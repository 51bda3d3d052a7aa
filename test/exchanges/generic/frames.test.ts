import t from 'tap'
import { Answers } from '../../../exchanges/generic/answers.js'
import { FeedFamilies } from '../../../exchanges/generic/feed-families.js'
import { find, parsePointer, textAt } from '../../../exchanges/generic/json-pointer.js'

const at = (frame: string, pointer: string) => textAt(Buffer.from(frame), parsePointer(pointer), 120)

t.test('a value is found in the bytes, whatever is before it', t => {
  t.equal(at('{"channel":"trade"}', '/channel'), 'trade')
  t.equal(at('{ "data" : [{"channel":"no"}, "]}\\"", -1.5e3] , "channel"\t:\n"book" }', '/channel'), 'book')
  t.equal(at('{"arg":{"instId":"BTC-USDT","channel":"tickers"},"data":[]}', '/arg/channel'), 'tickers')
  t.equal(at('[0,[["5541.2","0.1"]],"trade","XBT/USD"]', '/2'), 'trade')
  t.equal(at('{"a/b":{"m~n":7}}', '/a~1b/m~0n'), '7', 'a number as it is written')
  t.equal(at('pong', ''), 'pong', 'the whole frame, of any kind')
  t.end()
})

t.test('what is not there is not found, and no bytes do harm', t => {
  const frame = '{"type":"update","data":{"channel":"inner"},"list":[1,2],"channel":{"name":"x"}}'
  for (const pointer of ['/stream', '/channel', '/list/2', '/list/name', '/type/x', '/data/channel/x'])
    t.equal(at(frame, pointer), undefined, pointer)
  t.equal(at(`{"channel":"${'x'.repeat(121)}"}`, '/channel'), undefined, 'too long for a channel')
  for (let length = 0; length < frame.length; length++) {
    const cut = Buffer.from(frame.slice(0, length))
    for (const pointer of ['/channel', '/data/channel', '/list/1']) textAt(cut, parsePointer(pointer), 120)
  }
  const hostile = [
    '',
    '{',
    '[',
    '"',
    '{"',
    '{"a',
    '{"a\\',
    '{"a":',
    '{"channel"',
    ']',
    '{,}',
    '[,,]',
    '[[[['.repeat(9999),
  ]
  for (const text of hostile)
    for (const pointer of ['/channel', '/0', '/1']) t.equal(at(text, pointer), undefined, text.slice(0, 12))
  t.end()
})

t.test('the result is what a parser finds', t => {
  const values: unknown[] = [
    'x',
    12,
    true,
    null,
    { a: [1, { channel: 'deep' }] },
    ['a', []],
    '{"channel":"no"}',
    'é"\\',
  ]
  for (const before of values)
    for (const channel of ['trade', 5]) {
      const frame = Buffer.from(JSON.stringify({ before, list: [before, { channel }], after: before }))
      const span = find(frame, parsePointer('/list/1/channel'))
      t.equal(JSON.parse(frame.toString('utf8', span?.from, span?.to)), channel)
    }
  t.end()
})

t.test('families come from the config, the wire only chooses', t => {
  const families = new FeedFamilies(['/stream', '/e'], { trade: ['*@trade'], book: ['*@depth*', 'depth?.1'] })
  const family = (frame: object) => families.familyOf(Buffer.from(JSON.stringify(frame)))
  t.equal(family({ stream: 'btcusdt@trade', data: {} }), 'frames.trade')
  t.equal(family({ stream: 'btcusdt@depth@100ms' }), 'frames.book')
  t.equal(
    family({ e: 'depth?.1' }),
    'frames.book',
    'the second place, and characters of patterns that stand for themselves',
  )
  t.equal(family({ e: 'depthx11' }), 'frames')
  t.equal(family({ stream: '../../etc' }), 'frames')
  t.equal(family({ result: null, id: 1 }), undefined)
  t.same(families.names, ['frames.trade', 'frames.book', 'frames'])
  for (let index = 0; index < 60_000; index++) family({ stream: `s${index}` })
  t.equal(family({ stream: 'btcusdt@trade' }), 'frames.trade', 'after more channels than are remembered')
  t.end()
})

t.test('answers take over what the frame has', t => {
  const answers = new Answers([
    { at: '/method', is: 'public/heartbeat', send: { id: '{{/id}}', method: 'public/respond-heartbeat' } },
    { at: '/ping', send: '{"pong":{{/ping}}}' },
    { at: '', is: 'ping', send: 'pong' },
  ])
  const to = (frame: string) => answers.to(Buffer.from(frame))
  t.equal(
    to('{"id":1587523073344,"method":"public/heartbeat"}'),
    '{"id":1587523073344,"method":"public/respond-heartbeat"}',
  )
  t.equal(to('{"id":"a$&b","method":"public/heartbeat"}'), '{"id":"a$&b","method":"public/respond-heartbeat"}')
  t.equal(to('{"ping":1492420473027}'), '{"pong":1492420473027}')
  t.equal(to('ping'), 'pong')
  t.equal(to('{"method":"public/subscribe"}'), undefined)
  t.equal(to(`{"ping":"${'x'.repeat(999)}"}`), undefined, 'no long text is sent back')
  t.end()
})

import t from 'tap'
import { channelEnd, channelStart, dataStart } from '../../../exchanges/deribit/frame-channel.js'
import { bookIdsAt, eachTradeAt } from '../../../exchanges/deribit/sequence-bytes.js'
import { bookIdsOf, tradeRowsOf } from '../../../exchanges/deribit/sequence-json.js'
import { capturedFrames } from '../../fixtures/captured-frames.js'

const dataAt = (frame: Buffer) => dataStart(frame, channelEnd(frame, channelStart(frame)))
const dataOf = (line: string) => (JSON.parse(line) as { params: { data: unknown } }).params.data
const notification = (data: string) =>
  Buffer.from(
    `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC-PERPETUAL.100ms","data":${data}}}`,
  )
const book = (data: string) => {
  const frame = notification(data)
  return bookIdsAt(frame, dataAt(frame))
}
const trades = (data: string) => {
  const frame = notification(data)
  const rows: [string, number][] = []
  const read = eachTradeAt(frame, dataAt(frame), (from, to, seq) =>
    rows.push([frame.toString('latin1', from, to), seq]),
  )
  return read ? rows : undefined
}

t.test('the ids of every captured book frame, without a parser', t => {
  const lines = capturedFrames(t, 'book.jsonl') ?? []
  for (const line of lines) {
    const frame = Buffer.from(line)
    t.strictSame(bookIdsAt(frame, dataAt(frame)), bookIdsOf(dataOf(line)), line.slice(60, 120))
  }
  t.end()
})

t.test('the trades of every captured frame, without a parser and without their legs', t => {
  const lines = capturedFrames(t, 'trades.jsonl') ?? []
  for (const line of lines) {
    const expected = tradeRowsOf(dataOf(line)).map(({ instrument, seq }) => [instrument, seq])
    t.ok(expected.length > 0)
    t.strictSame(trades(JSON.stringify(dataOf(line))), expected, line.slice(60, 120))
  }
  t.end()
})

t.test('members of a book frame in any order', t => {
  const members = [
    '"type":"change"',
    '"timestamp":1',
    '"change_id":12',
    '"prev_change_id":0',
    '"instrument_name":"A"',
    '"bids":[["new",1.0,2.0]]',
    '"asks":[["delete",5.0,0.0],["change",6.0,1e3]]',
  ]
  for (let first = 0; first < members.length; first++) {
    for (let second = 0; second < members.length; second++) {
      const order = members.filter((_, index) => index !== first && index !== second)
      order.unshift(members[first] ?? '')
      if (second !== first) order.push(members[second] ?? '')
      t.strictSame(book(`{${order.join(',')}}`), { isSnapshot: false, changeId: 12, prevChangeId: 0 }, order.join())
    }
  }
  t.end()
})

t.test('snapshots: with id 0, with a previous id, without a type', t => {
  const snapshot = { isSnapshot: true, changeId: 0, prevChangeId: undefined }
  t.strictSame(book('{"type":"snapshot","change_id":0,"bids":[],"asks":[]}'), snapshot)
  t.strictSame(book('{"type":"snapshot","change_id":0,"bids":[],"asks":[],"prev_change_id":7}'), snapshot)
  t.strictSame(book('{"change_id":0,"bids":[],"asks":[]}'), snapshot, 'frames of 2019')
  t.strictSame(book('{"bids":[],"asks":[],"change_id":5,"prev_change_id":4}'), {
    isSnapshot: false,
    changeId: 5,
    prevChangeId: 4,
  })
  t.end()
})

t.test('what only a parser understands is left to it', t => {
  for (const data of [
    '{"type": "change","change_id":1,"prev_change_id":0}',
    '{"type":"change", "change_id":1,"prev_change_id":0}',
    '{"type":"change","change_id":1e3,"prev_change_id":0}',
    '{"type":"change","change_id":1.0,"prev_change_id":0,"bids":[]}',
    '{"type":"change","change_id":5,"prev_change_id":1.0,"bids":[]}',
    '{"type":"change","change_id":5,"bids":[],"prev_change_id":null}',
    '{"type":"change","change_id":-1,"prev_change_id":0}',
    '{"type":"change","change_id":1234567890123456,"prev_change_id":0}',
    '{"type":"ch\\u0061nge","change_id":1,"prev_change_id":0}',
    '{"type":"news","change_id":1,"prev_change_id":0}',
    '{"change\\u005fid":1}',
    '{"change_id":',
    '{',
    '[]',
    'null',
    '""',
    '{}',
  ]) {
    t.equal(book(data), undefined, data)
  }
  t.same(bookIdsOf(JSON.parse('{"type":"change","change_id":1.0e3,"prev_change_id":9e2}')), {
    isSnapshot: false,
    changeId: 1000,
    prevChangeId: 900,
  })
  for (const data of [null, [], {}, { change_id: '1' }, { change_id: -1 }, { change_id: 1, type: 'x' }])
    t.equal(bookIdsOf(data), undefined)
  t.end()
})

t.test('trades: several instruments in a frame, legs inside, strange neighbours', t => {
  const leg = '{"trade_seq":99,"instrument_name":"LEG"}'
  t.strictSame(trades('[{"trade_seq":1,"instrument_name":"A","x":"}],{\\u0022\\""}]'), [['A', 1]], 'escapes elsewhere')
  for (const odd of ['"instrument_name":"\\u0041"', '"instrument\\u005fname":"A"'])
    t.equal(trades(`[{"trade_seq":1,${odd}}]`), undefined, `${odd}: left to a parser`)
  t.strictSame(
    trades(
      `[{"trade_seq":1,"instrument_name":"A"},{"legs":[${leg},${leg}],"instrument_name":"B","x":"}],{","trade_seq":2}]`,
    ),
    [
      ['A', 1],
      ['B', 2],
    ],
  )
  t.strictSame(trades('[]'), [])
  for (const data of [
    '{}',
    '[{"trade_seq":1}]',
    '[{"instrument_name":"A"}]',
    '[{"trade_seq":1e3,"instrument_name":"A"}]',
  ])
    t.equal(trades(data), undefined, data)
  t.strictSame(tradeRowsOf([{ trade_seq: 1e3, instrument_name: 'A' }, { trade_seq: 'x', instrument_name: 'B' }, 7]), [
    { instrument: 'A', seq: 1000, timestampMs: 0 },
  ])
  t.end()
})

t.test('any cut of a frame is read without an error', t => {
  const data = '{"type":"change","timestamp":1,"change_id":12,"bids":[["new",1.0,2.0]],"asks":[],"prev_change_id":3}'
  const list = '[{"trade_seq":1,"instrument_name":"A"},{"instrument_name":"B","trade_seq":2}]'
  for (const [text, read] of [
    [data, (frame: Buffer) => bookIdsAt(frame, dataAt(frame))],
    [list, (frame: Buffer) => eachTradeAt(frame, dataAt(frame), () => undefined)],
  ] as const) {
    const frame = notification(text)
    for (let length = 0; length < frame.length; length++) {
      const cut = frame.subarray(0, length)
      if (channelStart(cut) >= 0 && channelEnd(cut, channelStart(cut)) >= 0) t.doesNotThrow(() => read(cut))
    }
  }
  t.end()
})

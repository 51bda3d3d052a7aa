import fc from 'fast-check'
import t from 'tap'
import { groupPath, type SegmentGroup } from '../../formats/raw-path.js'
import { BATCH_BYTES } from '../../recorder/line-batch.js'
import { heldBytes, type Append, type StorageRequest } from '../../recorder/storage/messages.js'
import { RequestPacker, RequestUnpacker, SMALL_BYTES } from '../../recorder/storage/packed-requests.js'
import { haveSameShape } from '../fixtures/same-shape.js'
import { holds } from '../fixtures/holds.js'

const facts = { type: 'append', slotFromUs: 1, slotToUs: 9, firstRecvUs: 2, lastRecvUs: 3, frames: 1 } as const
const batch = (channel: string, text: string, spans: number[], group: SegmentGroup = { channel }): Append => ({
  ...facts,
  ...group,
  group: groupPath(group),
  bytes: new Uint8Array(Buffer.from(text)),
  spans: new Uint32Array(spans),
})
const large = (): Append => ({
  ...facts,
  channel: 'book',
  group: 'channel=book',
  bytes: new Uint8Array(BATCH_BYTES).fill(7),
})

/** Both ends of what goes to a thread. */
function thread() {
  const packer = new RequestPacker()
  const unpacker = new RequestUnpacker()
  return (requests: StorageRequest[]) => {
    const { message, transfer } = packer.pack(requests)
    return { message, arrived: unpacker.unpack(structuredClone(message, { transfer })), transfer }
  }
}
const appendsOf = (requests: StorageRequest[]) => requests.filter(request => request.type === 'append')

t.test('small batches go in one memory, and come out as they were, in their order among the others', t => {
  const texts = ['one\n', 'a longer line\n', 'x\n']
  const requests: StorageRequest[] = [
    batch('quote', texts[0] ?? '', [0, 3]),
    { type: 'tick', nowUs: 5 },
    large(),
    batch('trades', texts[1] ?? '', [2, 13]),
    batch('ticker', texts[2] ?? '', []),
  ]
  const { arrived, transfer } = thread()(requests)
  t.equal(transfer.length, 2, 'the large one, and one for all others')
  t.same(
    arrived.map(request => (request.type === 'append' ? request.channel : request.type)),
    ['quote', 'tick', 'book', 'trades', 'ticker'],
  )
  const small = appendsOf(arrived).filter(({ channel }) => channel !== 'book')
  t.same(
    small.map(({ bytes }) => Buffer.from(bytes).toString()),
    texts,
  )
  t.same(
    small.map(({ spans }) => [...(spans ?? [])]),
    [[0, 3], [2, 13], []],
  )
  t.same(appendsOf(arrived).map(heldBytes), [4, BATCH_BYTES, 14, 2], 'each counts its own')
  t.end()
})

t.test('small batches have one shape as they come out', t => {
  const send = thread()
  const arrived = Array.from({ length: 30 }, () => appendsOf(send([batch('quote', 'a\n', [0, 1])]).arrived)).flat()
  const [first, ...others] = arrived
  t.equal(arrived.length, 30)
  t.equal(others.filter(other => !haveSameShape(first ?? {}, other)).length, 0)
  t.end()
})

t.test('what is no batch goes as it is', t => {
  const requests: StorageRequest[] = [{ type: 'tryNow' }, { type: 'close', withinMs: 1 }]
  const { arrived, transfer } = thread()(requests)
  t.same({ arrived, transfer }, { arrived: requests, transfer: [] })
  t.end()
})

t.test('a group is described once, and a number stands for it from then on', t => {
  const send = thread()
  const option = { channel: 'quote', kind: 'option', currency: 'BTC' }
  const first = send([batch('quote', 'a\n', [0, 1], option), batch('quote', 'b\n', [0, 1])])
  t.equal(first.message.groups?.length, 2)
  const second = send([batch('trades', 'c\n', [0, 1]), batch('quote', 'd\n', [0, 1], option)])
  t.same(second.message.groups, [{ group: 'channel=trades', channel: 'trades' }])
  t.same(
    appendsOf(second.arrived).map(({ group, channel, kind, currency }) => ({ group, channel, kind, currency })),
    [
      { group: 'channel=trades', channel: 'trades', kind: undefined, currency: undefined },
      { group: groupPath(option), ...option },
    ],
  )
  t.end()
})

t.test('lines stay where they were filled until they are packed, and are no longer needed then', t => {
  const filled = Buffer.from('xxone\nyy')
  const lines = new Uint8Array(filled.buffer, filled.byteOffset + 2, 4)
  const request: Append = { ...batch('quote', '', []), bytes: lines, spans: new Uint32Array([0, 3]), shares: true }
  const packer = new RequestPacker()
  const { message } = packer.pack([request])
  filled.fill(0)
  const [arrived] = appendsOf(new RequestUnpacker().unpack(message))
  t.equal(Buffer.from(arrived?.bytes ?? []).toString(), 'one\n')
  t.end()
})

const number = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
const drawn = fc.record({
  channel: fc.constantFrom('quote', 'trades', 'journal'),
  kind: fc.constantFrom(undefined, 'option'),
  numbers: fc.tuple(number, number, number, number, number),
  bytes: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(SMALL_BYTES, SMALL_BYTES + 1)),
  spans: fc.option(fc.array(fc.nat(), { maxLength: 6 })),
})

t.test('any requests arrive as they were, whatever went before them', t => {
  const request = fc.oneof(
    drawn.map(({ channel, kind, numbers, bytes, spans }): StorageRequest => {
      const [slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames] = numbers
      const group = { channel, ...(kind !== undefined && { kind }) }
      const lines = typeof bytes === 'number' ? new Uint8Array(bytes).fill(bytes) : new Uint8Array(bytes)
      const where = spans && { spans: new Uint32Array(spans) }
      const span = { slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames }
      return { type: 'append', ...group, group: groupPath(group), ...span, bytes: lines, ...where }
    }),
    fc.constantFrom<StorageRequest>({ type: 'tryNow' }, { type: 'tick', nowUs: 7 }),
  )
  const seed = Date.now() % 2 ** 31
  t.comment(`seed ${seed}`)
  holds(
    t,
    fc.property(fc.array(fc.array(request, { maxLength: 8 }), { maxLength: 4 }), messages => {
      const send = thread()
      for (const requests of messages) {
        const wanted = requests.map(one => plain(one))
        const got = send(requests).arrived.map(one => plain(one))
        t.same(got, wanted)
      }
      return true
    }),
    { seed, numRuns: 100 },
  )
  t.end()
})

/** Without how memory is shared, which is not what was asked for. */
function plain(request: StorageRequest): unknown {
  if (request.type !== 'append') return request
  const { type, group, channel, kind, slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames } = request
  const facts = { type, group, channel, kind, slotFromUs, slotToUs, firstRecvUs, lastRecvUs, frames }
  const lines = Buffer.from(request.bytes).toString('latin1')
  return { ...facts, spans: request.spans && [...request.spans], lines }
}

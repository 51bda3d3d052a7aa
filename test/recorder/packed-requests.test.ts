import t from 'tap'
import { BATCH_BYTES } from '../../recorder/line-batch.js'
import { heldBytes, type Append, type StorageRequest } from '../../recorder/storage/messages.js'
import { pack, unpack } from '../../recorder/storage/packed-requests.js'

const facts = { type: 'append', slotFromUs: 1, slotToUs: 9, firstRecvUs: 2, lastRecvUs: 3, frames: 1 } as const
const batch = (channel: string, text: string, spans: number[]): Append => ({
  ...facts,
  channel,
  bytes: new Uint8Array(Buffer.from(text)),
  spans: new Uint32Array(spans),
})
const large = (): Append => ({ ...facts, channel: 'book', bytes: new Uint8Array(BATCH_BYTES).fill(7) })
/** As the other thread gets it. */
const sent = (requests: StorageRequest[]) => {
  const { message, transfer } = pack(requests)
  return { arrived: unpack(structuredClone(message, { transfer })), transfer }
}

t.test('small batches go in one memory, and come out as they were, in their order among the others', t => {
  const texts = ['one\n', 'a longer line\n', 'x\n']
  const requests: StorageRequest[] = [
    batch('quote', texts[0] ?? '', [0, 3]),
    { type: 'tick', nowUs: 5 },
    large(),
    batch('trades', texts[1] ?? '', [2, 13]),
    batch('ticker', texts[2] ?? '', []),
  ]
  const { arrived, transfer } = sent(requests)
  t.equal(transfer.length, 2, 'the large one, and one for all others')
  t.same(
    arrived.map(request => (request.type === 'append' ? request.channel : request.type)),
    ['quote', 'tick', 'book', 'trades', 'ticker'],
  )
  const appends = arrived.filter(request => request.type === 'append')
  const small = appends.filter(({ channel }) => channel !== 'book')
  t.same(
    small.map(({ bytes }) => Buffer.from(bytes).toString()),
    texts,
  )
  t.same(
    small.map(({ spans }) => [...(spans ?? [])]),
    [[0, 3], [2, 13], []],
  )
  t.same(appends.map(heldBytes), [4, BATCH_BYTES, 14, 2], 'each counts its own')
  t.end()
})

t.test('what is no batch goes as it is', t => {
  const requests: StorageRequest[] = [{ type: 'tryNow' }, { type: 'close', withinMs: 1 }]
  t.same(sent(requests), { arrived: requests, transfer: [] })
  t.end()
})

import t from 'tap'
import { COUNTED_GROUPS, CountReader, StoredCounts } from '../../recorder/storage/stored-counts.js'

const stored = (frames: number, compressedBytes: number, held: number) =>
  ({ type: 'stored', channel: 'quote', frames, compressedBytes, held }) as const

t.test('what one thread counts the other hears once, of each group by itself', t => {
  const reader = new CountReader()
  const counts = new StoredCounts(reader.memory)
  t.equal(reader.take(0), undefined)
  counts.note(0, stored(2, 30, 200))
  counts.note(COUNTED_GROUPS - 1, stored(1, 10, 100))
  counts.note(0, stored(3, 40, 300))
  t.same(reader.take(0), { frames: 5, compressedBytes: 70, held: 500 })
  t.equal(reader.take(0), undefined)
  t.same(reader.take(COUNTED_GROUPS - 1), { frames: 1, compressedBytes: 10, held: 100 })
  t.same([reader.takeSyncs(), (counts.noteSync(), reader.takeSyncs()), reader.takeSyncs()], [false, true, false])
  t.end()
})

t.test('counts go on beyond 2^32', t => {
  const reader = new CountReader()
  const counts = new StoredCounts(reader.memory)
  let [bytes, held] = [0, 0]
  for (let n = 0; n < 5; n++) {
    counts.note(7, stored(1, 1e9, 2e9))
    const { compressedBytes = 0, held: more = 0 } = reader.take(7) ?? {}
    bytes += compressedBytes
    held += more
  }
  t.same([bytes, held], [5e9, 1e10])
  t.end()
})

t.test('the owner says whether it waits to be told', t => {
  const reader = new CountReader()
  const counts = new StoredCounts(reader.memory)
  t.notOk(counts.isWanted)
  reader.want(true)
  t.ok(counts.isWanted)
  reader.want(false)
  t.notOk(counts.isWanted)
  t.end()
})

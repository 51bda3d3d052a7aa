/** Entry of the storage thread: compression and disk, away from the thread that stamps frames. */
import { parentPort, workerData } from 'node:worker_threads'
import { HAND_OVER_MS } from '../line-batch.js'
import { RingReader, type RingMemory } from './line-ring.js'
import type { StorageEvent, StorageOptions, StorageRequest } from './messages.js'
import { RequestUnpacker, type PackedRequests } from './packed-requests.js'
import { SegmentStore } from './segment-store.js'
import { COUNTED_GROUPS, StoredCounts } from './stored-counts.js'

/** What the thread is started with. */
export interface ThreadData extends StorageOptions {
  shared: { ring: RingMemory; counts: SharedArrayBuffer }
}

if (!parentPort) throw new Error('recorder/storage/thread must be started as a worker')
const port = parentPort

/** So often in a row it is looked for lines in vain; then the other thread has to say that there are some. */
const LOOKS_IN_VAIN = 12

const { shared, ...options } = workerData as ThreadData
const unpacker = new RequestUnpacker()
const ring = new RingReader(shared.ring, number => unpacker.groupOf(number))
const counts = new StoredCounts(shared.counts)

let pending: StorageEvent[] = []
/** A write failed: the next that succeeds is reported in a message, which arrives behind that of the failure. */
let isRefused = false

/** A message wakes the other thread, which costs more than what is in it: what can wait until that thread looks is only counted. */
function emit(event: StorageEvent): void {
  if (event.type === 'failed') isRefused = true
  if (isCounted(event)) return
  if (event.type === 'stored' && event.channel !== 'journal') isRefused = false
  if (pending.push(event) === 1) queueMicrotask(postAll)
}

function isCounted(event: StorageEvent): boolean {
  if (counts.isWanted || isRefused) return false
  if (event.type === 'synced') counts.noteSync()
  else if (event.type === 'stored' && event.number !== undefined && event.number < COUNTED_GROUPS)
    counts.note(event.number, event)
  else return false
  return true
}

function postAll(): void {
  // A batch's memory goes back to be filled again, not to be copied.
  const memory = pending.flatMap(event => (event.type === 'stored' && event.buffer ? [event.buffer] : []))
  port.postMessage(pending, memory)
  if (pending.some(({ type }) => type === 'closed')) port.close()
  pending = []
}

const store = new SegmentStore(options, emit)

function handle(requests: readonly StorageRequest[]): void {
  store.handleAll(requests)
  if (store.hasWaiting) ring.keepTaken()
}

let looking: NodeJS.Timeout | undefined
let inVain = 0

function look(): void {
  const requests = ring.takeAll()
  if (requests.length > 0) handle(requests)
  inVain = requests.some(({ type }) => type === 'append') ? 0 : inVain + 1
  if (inVain > LOOKS_IN_VAIN && ring.fallAsleep()) {
    clearInterval(looking)
    looking = undefined
  }
}

function lookFromNowOn(): void {
  inVain = 0
  looking ??= setInterval(look, Math.min(HAND_OVER_MS, options.frameMs ?? HAND_OVER_MS)).unref()
}

port.on('message', (message: PackedRequests) => {
  if (message.behind === undefined) lookFromNowOn()
  else handle([...ring.takeBefore(message.behind), ...unpacker.unpack(message)])
})

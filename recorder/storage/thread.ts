/** Entry of the storage thread: compression and disk, away from the thread that stamps frames. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Stored, StorageEvent, StorageOptions } from './messages.js'
import { RequestUnpacker, type PackedRequests } from './packed-requests.js'
import { SegmentStore } from './segment-store.js'

if (!parentPort) throw new Error('recorder/storage/thread must be started as a worker')
const port = parentPort

/** That lines were stored is reported at leisure, where no memory that is needed again hangs on it … */
const STORED_AFTER_MS = 160
/** … together with others that are stored then; where none are, at the latest now: a thread that wakes up for it costs more than what it says. */
const STORED_WITHIN_MS = 250

let pending: StorageEvent[] = []
/** Of those reported at leisure, the one of each family. */
const atLeisure = new Map<string, Stored>()
let isUrgent = false
let later: NodeJS.Timeout | undefined
let atLeisureSinceMs = 0

/** Each message wakes the other thread, which costs more than what is in it: many go in one. */
function emit(event: StorageEvent): void {
  if (event.type === 'stored' && event.channel !== 'journal' && !event.buffer) {
    addAtLeisure(event)
    return
  }
  pending.push(event)
  if (!isUrgent) hurry()
}

function addAtLeisure(event: Stored): void {
  const known = atLeisure.get(event.channel)
  if (known) {
    known.frames += event.frames
    known.compressedBytes += event.compressedBytes
    known.held += event.held
  } else {
    atLeisure.set(event.channel, event)
    pending.push(event)
  }
  if (isUrgent) return
  if (!later) {
    later = setTimeout(postAll, STORED_WITHIN_MS)
    atLeisureSinceMs = performance.now()
  } else if (performance.now() - atLeisureSinceMs >= STORED_AFTER_MS) hurry()
}

function hurry(): void {
  isUrgent = true
  queueMicrotask(postAll)
}

function postAll(): void {
  clearTimeout(later)
  later = undefined
  isUrgent = false
  atLeisure.clear()
  // A batch's memory goes back to be filled again, not to be copied.
  const memory = pending.flatMap(event => (event.type === 'stored' && event.buffer ? [event.buffer] : []))
  port.postMessage(pending, memory)
  if (pending.some(({ type }) => type === 'closed')) port.close()
  pending = []
}

const store = new SegmentStore(workerData as StorageOptions, emit)
const unpacker = new RequestUnpacker()
port.on('message', (message: PackedRequests) => store.handleAll(unpacker.unpack(message)))

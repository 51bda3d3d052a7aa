/** Entry of the storage thread: compression and disk, away from the thread that stamps frames. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Stored, StorageEvent, StorageOptions } from './messages.js'
import { unpack, type PackedRequests } from './packed-requests.js'
import { SegmentStore } from './segment-store.js'

if (!parentPort) throw new Error('recorder/storage/thread must be started as a worker')
const port = parentPort

/** That lines were stored is told at leisure, where no memory that is needed again hangs on it. */
const STORED_WITHIN_MS = 250

let told: StorageEvent[] = []
/** Of those told at leisure, the one of each family. */
const atLeisure = new Map<string, Stored>()
let isUrgent = false
let later: NodeJS.Timeout | undefined

/** Each message wakes the other thread, which costs more than what is in it: many go in one. */
function tell(event: StorageEvent): void {
  if (event.type === 'stored' && event.channel !== 'journal' && !event.buffer) {
    addAtLeisure(event)
    return
  }
  told.push(event)
  if (isUrgent) return
  isUrgent = true
  queueMicrotask(tellAll)
}

function addAtLeisure(event: Stored): void {
  const known = atLeisure.get(event.channel)
  if (known) {
    known.frames += event.frames
    known.compressedBytes += event.compressedBytes
    known.held += event.held
  } else {
    atLeisure.set(event.channel, event)
    told.push(event)
  }
  if (!isUrgent) later ??= setTimeout(tellAll, STORED_WITHIN_MS)
}

function tellAll(): void {
  clearTimeout(later)
  later = undefined
  isUrgent = false
  atLeisure.clear()
  // A batch's memory goes back to be filled again, not to be copied.
  const memory = told.flatMap(event => (event.type === 'stored' && event.buffer ? [event.buffer] : []))
  port.postMessage(told, memory)
  if (told.some(({ type }) => type === 'closed')) port.close()
  told = []
}

const store = new SegmentStore(workerData as StorageOptions, tell)
port.on('message', (message: PackedRequests) => {
  for (const request of unpack(message)) store.handle(request)
})

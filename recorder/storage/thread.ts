/** Entry of the storage thread: compression and disk, away from the thread that stamps frames. */
import { parentPort, workerData } from 'node:worker_threads'
import type { StorageEvent, StorageOptions, StorageRequest } from './messages.js'
import { SegmentStore } from './segment-store.js'

if (!parentPort) throw new Error('recorder/storage/thread must be started as a worker')
const port = parentPort

/** That lines were stored is told at leisure, where no memory that is needed again hangs on it. */
const STORED_WITHIN_MS = 250
const SMALL_BYTES = 64 * 1024

let told: StorageEvent[] = []
let isUrgent = false
let later: NodeJS.Timeout | undefined

/** Each message wakes the other thread, which costs more than what is in it: many go in one. */
function tell(event: StorageEvent): void {
  told.push(event)
  if (isUrgent) return
  if (event.type === 'stored' && event.channel !== 'journal' && event.bytes.length < SMALL_BYTES) {
    later ??= setTimeout(tellAll, STORED_WITHIN_MS)
    return
  }
  isUrgent = true
  queueMicrotask(tellAll)
}

function tellAll(): void {
  clearTimeout(later)
  later = undefined
  isUrgent = false
  // A batch's memory goes back to be filled again, not to be copied.
  const memory = told.flatMap(event => {
    if (event.type === 'stored') return [event.bytes.buffer]
    return event.type === 'dropped' ? [event.batch.bytes.buffer] : []
  })
  port.postMessage(told, memory)
  if (told.some(({ type }) => type === 'closed')) port.close()
  told = []
}

const store = new SegmentStore(workerData as StorageOptions, tell)
port.on('message', (requests: StorageRequest[]) => {
  for (const request of requests) store.handle(request)
})

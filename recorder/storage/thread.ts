/** Entry of the storage thread: compression and disk, away from the thread that stamps frames. */
import { parentPort, workerData } from 'node:worker_threads'
import type { StorageEvent, StorageOptions, StorageRequest } from './messages.js'
import { SegmentStore } from './segment-store.js'

if (!parentPort) throw new Error('recorder/storage/thread must be started as a worker')
const port = parentPort

const store = new SegmentStore(workerData as StorageOptions, (event: StorageEvent) => {
  // A batch's memory goes back to be filled again, not to be copied.
  const bytes = event.type === 'stored' ? event.bytes : event.type === 'dropped' ? event.batch.bytes : undefined
  port.postMessage(event, bytes ? [bytes.buffer] : [])
  if (event.type === 'closed') port.close()
})
port.on('message', (request: StorageRequest) => store.handle(request))

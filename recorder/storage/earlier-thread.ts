/** Entry of the thread that reads what earlier runs recorded: a piece at each request, `undefined` at the end. */
import { parentPort, workerData } from 'node:worker_threads'
import { earlierPieces, type EarlierPiece, type EarlierQuery } from './earlier-segments.js'

if (!parentPort) throw new Error('recorder/storage/earlier-thread must be started as a worker')
const port = parentPort

const pieces = earlierPieces(workerData as EarlierQuery)
port.on('message', () => {
  const next = pieces.next()
  // The message is a copy: the piece's own memory is filled again.
  port.postMessage(next.done === true ? undefined : compact(next.value))
})

/** A copy of a view would be one of all the memory behind it. */
function compact(piece: EarlierPiece): EarlierPiece {
  return piece.type === 'bytes' ? { ...piece, bytes: new Uint8Array(piece.bytes) } : piece
}

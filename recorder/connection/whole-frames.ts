import type { Socket } from 'node:net'
import type { SharedMemory } from './dial.js'

/**
 * The frames that stand whole in one read of the socket, taken from it at once. `ws` cuts three buffers out of a read for
 * each of them and goes through its states, which takes longer than to file the frame. It still gets all else: frames
 * cut by the end of a read, long or fragmented messages, pings, the close, and whatever breaks the protocol; so it alone
 * answers, ends and complains. No byte is held back here: at each moment `ws` has all that was not delivered.
 */

const TEXT = 0x81
const BINARY = 0x82
const FIN = 0x80
/** Length bytes that stand for a longer length behind them; with the highest bit the frame is masked, which no server does. */
const LENGTH_16 = 126
const LENGTH_64 = 127
const HEADER_BYTES_MAX = 10
const [CONTINUATION, LAST_OF_DATA, PING, PONG] = [0x0, 0x2, 0x9, 0xa]

/** What slices of a buffer are made of: made directly, since `subarray` asks each time for what a read has once. */
const Slice = (
  Buffer as unknown as { [Symbol.species]: new (memory: ArrayBufferLike, from: number, length: number) => Buffer }
)[Symbol.species]

type DataListener = (this: Socket, chunk: Buffer) => void
type Deliver = (frame: Buffer, isBinary: boolean, recvUs: number) => void

export class WholeFrames {
  readonly #socket: Socket
  readonly #toWs: DataListener
  readonly #memory: Pick<SharedMemory, 'isUsed'>
  readonly #stamp: () => number
  readonly #deliver: Deliver
  /** Bytes that `ws` still has to get of the frame under way. */
  #rest = 0
  /** The first bytes of a header that the end of a read cut. */
  #header: Buffer | undefined
  /** Further frames of a message are to come. */
  #isFragmented = false
  #stopped = false

  /**
   * Takes the place of the one listener of `ws`, which sees the same bytes less the frames delivered; undefined where
   * the socket has another, or none: then all is left to `ws`.
   * @param memory may be shared from now on
   * @param stamp what time it is, receive time
   * @param deliver gets a frame whose memory is filled anew once it returns; frames that were read together came together
   */
  static take(
    socket: Socket,
    memory: Pick<SharedMemory, 'isUsed'>,
    stamp: () => number,
    deliver: Deliver,
  ): WholeFrames | undefined {
    const listeners = socket.listeners('data') as DataListener[]
    const [toWs] = listeners
    return toWs && listeners.length === 1 ? new WholeFrames(socket, toWs, memory, stamp, deliver) : undefined
  }

  private constructor(
    socket: Socket,
    toWs: DataListener,
    memory: Pick<SharedMemory, 'isUsed'>,
    stamp: () => number,
    deliver: Deliver,
  ) {
    this.#socket = socket
    this.#toWs = toWs
    this.#memory = memory
    this.#stamp = stamp
    this.#deliver = deliver
    memory.isUsed = true
    socket.on('data', this.#read)
    socket.removeListener('data', toWs)
  }

  /** Nothing more is taken: `ws` has given the connection up. */
  stop(): void {
    this.#stopped = true
    this.#memory.isUsed = false
    this.#socket.removeListener('data', this.#read)
  }

  readonly #read = (chunk: Buffer): void => {
    let at = this.#rest > 0 || this.#header ? this.#passOn(chunk, 0) : 0
    while (at < chunk.length && !this.#stopped) {
      at = this.#deliverFrom(chunk, at)
      if (at < chunk.length) at = this.#passOn(chunk, at)
    }
  }

  /** Delivers frames as long as they are whole and plain; returns where the first other one begins. */
  #deliverFrom(chunk: Buffer, from: number): number {
    if (this.#isFragmented) return from
    const { buffer: memory, byteOffset, length: last } = chunk
    // Asked anew behind what `ws` got: stamps of a connection never go back.
    const recvUs = this.#stamp()
    for (let at = from; ;) {
      const first = chunk[at]
      if (first !== TEXT && first !== BINARY) return at
      let payload = at + 2
      let length = chunk[at + 1] ?? LENGTH_64
      if (length === LENGTH_16 && at + 4 <= last) {
        length = ((chunk[at + 2] as number) << 8) | (chunk[at + 3] as number)
        payload = at + 4
      } else if (length >= LENGTH_16) return at
      const end = payload + length
      if (end > last) return at
      this.#deliver(new Slice(memory, byteOffset + payload, length), first === BINARY, recvUs)
      at = end
    }
  }

  /** Gives `ws` one frame, or what there is of it; returns where it ends. */
  #passOn(chunk: Buffer, from: number): number {
    if (this.#rest === 0) {
      const known = this.#header ?? chunk.subarray(from, from)
      const header = Buffer.concat([known, chunk.subarray(from, from + HEADER_BYTES_MAX)])
      const bytes = frameBytes(header)
      this.#header = bytes === undefined ? header : undefined
      if (bytes === undefined) return this.#give(chunk, from, chunk.length)
      if (!this.#follows(header)) return this.#leave(chunk, from)
      this.#rest = bytes - known.length
    }
    const end = Math.min(chunk.length, from + this.#rest)
    this.#rest -= end - from
    return this.#give(chunk, from, end)
  }

  /** A frame that a message may go on with, begin with, or have in its midst; anything else ends the connection. */
  #follows(header: Buffer): boolean {
    const [first = 0, second = 0] = header
    const opcode = first & 0x7f
    const isLast = (first & FIN) !== 0
    if (second > LENGTH_64) return false
    if (opcode === PING || opcode === PONG) return isLast && second < LENGTH_16
    if (opcode > LAST_OF_DATA || (opcode === CONTINUATION) !== this.#isFragmented) return false
    this.#isFragmented = !isLast
    return true
  }

  #give(chunk: Buffer, from: number, end: number): number {
    // It keeps what is not whole.
    this.#toWs.call(this.#socket, Buffer.from(chunk.subarray(from, end)))
    return end
  }

  /** From here on `ws` has the socket for itself: its close, or what it will not bear. */
  #leave(chunk: Buffer, from: number): number {
    this.stop()
    this.#socket.on('data', this.#toWs)
    return this.#give(chunk, from, chunk.length)
  }
}

/** Bytes of a frame with its header; undefined where the header is not whole. */
function frameBytes(header: Buffer): number | undefined {
  const length = (header[1] ?? 0) & LENGTH_64
  if (length === LENGTH_64) return header.length < 10 ? undefined : 10 + Number(header.readBigUInt64BE(2))
  if (length === LENGTH_16) return header.length < 4 ? undefined : 4 + header.readUInt16BE(2)
  return header.length < 2 ? undefined : 2 + length
}

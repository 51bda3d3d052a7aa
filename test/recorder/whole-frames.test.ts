/** Frames taken from reads of a socket beside `ws`: what comes of any bytes, cut anywhere, is what `ws` alone makes of them. */
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { WebSocket } from '../../platform/web-socket.js'
import { WholeFrames } from '../../recorder/connection/whole-frames.js'
import { holds } from '../fixtures/holds.js'

const FRAME_BYTES_MAX = 1024 * 1024

/** A frame as it stands on the wire. */
interface Wire {
  readonly first: number
  /** Of the payload; said in the frame, too, unless `said` is there. */
  readonly bytes: number
  readonly said?: number
  readonly masked?: boolean
}

const TEXT = 0x81
const BINARY = 0x82
const PING = 0x89

/** Every payload has its place in it, so that no two are alike. */
function wire({ first, bytes, said = bytes, masked = false }: Wire, place: number): Buffer {
  const length =
    said < 126
      ? Buffer.from([said])
      : said < 65_536
        ? Buffer.from([126, said >> 8, said & 255])
        : Buffer.from([
            127,
            ...Buffer.alloc(4),
            (said >>> 24) & 255,
            (said >>> 16) & 255,
            (said >>> 8) & 255,
            said & 255,
          ])
  if (masked) length[0] = (length[0] as number) | 0x80
  const payload = Buffer.alloc(bytes, `${place},`)
  return Buffer.concat([Buffer.from([first]), length, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload])
}

/** A socket whose reads are exactly the chunks that it is given. */
class Pipe extends Duplex {
  readonly written: Buffer[] = []

  override _read(): void {
    // Chunks come when the test has them.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const key = /sec-websocket-key: (.*)\r\n/i.exec(chunk.toString('latin1'))?.[1]
    if (key === undefined) this.written.push(chunk)
    else this.#answer(key)
    done()
  }

  #answer(key: string): void {
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    this.push([...head, `Sec-WebSocket-Accept: ${accept}`, '', ''].join('\r\n'))
  }
}

interface Heard {
  events: string[]
  written: string
  /** Messages that did not go through `ws`. */
  taken: number
  /** Of each of these the stamp, which counts how often one was asked for. */
  stamps: number[]
}

/** All that a client says of these reads, and what it answers. */
async function heard(chunks: readonly Buffer[], isTaken: boolean): Promise<Heard> {
  const pipe = new Pipe()
  const socket = new WebSocket('ws://localhost/', {
    createConnection: () => pipe,
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    skipUTF8Validation: true,
    generateMask: mask => mask.fill(7),
  })
  const events: string[] = []
  const result: Heard = { events, written: '', taken: 0, stamps: [] }
  const message = (data: Buffer, isBinary: boolean) =>
    events.push(`${isBinary ? 'binary' : 'text'} ${data.length} ${createHash('sha1').update(data).digest('hex')}`)
  socket.on('message', message)
  for (const control of ['ping', 'pong'] as const)
    socket.on(control, (data: Buffer) => events.push(`${control} ${data.toString()}`))
  let whole: WholeFrames | undefined
  let asked = 0
  const memory = { isUsed: false }
  socket.on('error', error => {
    whole?.stop()
    events.push(`error ${error.message}`)
  })
  const closed = new Promise<number>(resolve => socket.once('close', resolve))
  const opened = once(socket, 'open')
  socket.on('open', () => {
    if (!isTaken) return
    const stamp = () => ++asked
    whole = WholeFrames.take(pipe as unknown as Socket, memory, stamp, (data, isBinary, recvUs) => {
      result.taken++
      result.stamps.push(recvUs)
      message(data, isBinary)
    })
    if (!whole) throw new Error('the socket had other listeners')
  })
  await opened
  for (const chunk of chunks) {
    if (pipe.destroyed) break
    const read = Buffer.from(chunk)
    pipe.push(read)
    await setImmediate()
    if (memory.isUsed) read.fill(0xff)
  }
  pipe.push(null)
  events.push(`close ${await closed}`)
  result.written = Buffer.concat(pipe.written).toString('hex')
  return result
}

/** Reads of these frames: cut behind as many bytes of a frame as each pair says, most of them within its header. */
function cut(frames: readonly Buffer[], places: readonly (readonly [frame: number, bytes: number])[]): Buffer[] {
  const starts = frames.map((_, index) => Buffer.concat(frames.slice(0, index)).length)
  const bytes = Buffer.concat(frames)
  const cuts = places.map(([frame, behind]) => (starts[frame % (frames.length || 1)] ?? 0) + behind)
  const ends = [...new Set([...cuts.filter(at => at < bytes.length), bytes.length])].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end)).filter(chunk => chunk.length > 0)
}

/** How many of these frames stand whole in one read, outside of fragmented messages. */
function wholeOnes(frames: readonly Wire[], chunks: readonly Buffer[]): number {
  const ends = chunks.map((_, index) => chunks.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0))
  let [at, whole, isFragmented] = [0, 0, false]
  for (const [place, frame] of frames.entries()) {
    const end = at + wire(frame, place).length
    const isPlain = (frame.first === TEXT || frame.first === BINARY) && frame.bytes < 65_536
    if (isPlain && ends.some(one => one >= end) && !ends.some(one => one > at && one < end)) whole++
    if ((frame.first & 0x0f) < 8) isFragmented = frame.first < 0x80
    if (isFragmented && isPlain) throw new Error('no message begins within another')
    at = end
  }
  return whole
}

const lengths = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  fc.constantFrom(0, 1, 124, 125, 126, 127, 128, 255, 256, 65_535, 65_536, 70_000),
)
const plain = fc.record({ first: fc.constantFrom(TEXT, BINARY), bytes: lengths }).map(frame => [frame])
const control = fc.record({ first: fc.constantFrom(PING, 0x8a), bytes: fc.integer({ min: 0, max: 125 }) })
/** One message in several frames, with controls in its midst. */
const fragmented = fc
  .record({
    opcode: fc.constantFrom(0x1, 0x2),
    parts: fc.array(fc.tuple(lengths, fc.option(control)), { minLength: 2, maxLength: 4 }),
  })
  .map(({ opcode, parts }) =>
    parts.flatMap(([bytes, between], index): Wire[] => [
      { first: (index === 0 ? opcode : 0) | (index === parts.length - 1 ? 0x80 : 0), bytes },
      ...(between ? [between] : []),
    ]),
  )
/** What ends a connection: a close, and what breaks the protocol. */
const ending = fc.constantFrom<Wire[]>(
  [],
  [{ first: 0x88, bytes: 0 }],
  [{ first: 0x88, bytes: 1 }],
  [{ first: TEXT, bytes: 5, masked: true }],
  [{ first: BINARY, bytes: 0, masked: true }],
  [{ first: 0xc1, bytes: 5 }],
  [{ first: 0xa1, bytes: 5 }],
  [{ first: 0x91, bytes: 5 }],
  [{ first: 0x80, bytes: 5 }],
  [{ first: 0x83, bytes: 5 }],
  [{ first: 0x8b, bytes: 5 }],
  [{ first: 0x09, bytes: 5 }],
  [{ first: PING, bytes: 126 }],
  [
    { first: 0x01, bytes: 5 },
    { first: TEXT, bytes: 5 },
  ],
  [{ first: TEXT, bytes: 10, said: FRAME_BYTES_MAX + 1 }],
  [{ first: TEXT, bytes: 10, said: 2 ** 32 - 1 }],
)
const messages = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: plain },
    control.map(one => [one]),
    fragmented,
  ),
  { maxLength: 12 },
)

t.test('any frames, cut anywhere, are heard as ws alone hears them', async t => {
  let taken = 0
  await holds(
    t,
    fc.asyncProperty(
      messages,
      ending,
      messages,
      fc.array(fc.tuple(fc.nat(40), fc.oneof(fc.nat(10), fc.nat(70_000))), { maxLength: 12 }),
      fc.boolean(),
      async (before, end, behind, places, isCutOff) => {
        const frames = [...before.flat(), ...end, ...behind.flat()]
        const chunks = cut(frames.map(wire), places).slice(0, isCutOff ? -1 : undefined)
        const [alone, both] = [await heard(chunks, false), await heard(chunks, true)]
        t.equal(both.taken, wholeOnes(end.length > 0 ? before.flat() : frames, chunks))
        taken += both.taken
        t.same(both.events, alone.events)
        t.equal(both.written, alone.written)
      },
    ),
    { numRuns: 300 },
  )
  t.ok(taken > 300, `${taken} of them were taken beside ws`)
})

t.test('each byte a read of its own', async t => {
  const bytes = Buffer.concat(
    [
      { first: TEXT, bytes: 3 },
      { first: BINARY, bytes: 130 },
      { first: PING, bytes: 2 },
      { first: 0x01, bytes: 1 },
      { first: 0x80, bytes: 1 },
      { first: TEXT, bytes: 65_536 },
      { first: TEXT, bytes: 0 },
      { first: 0x88, bytes: 0 },
    ].map(wire),
  )
  const chunks = [...bytes.subarray(0, 200), ...bytes.subarray(200)].map(byte => Buffer.from([byte]))
  const both = await heard(chunks, true)
  t.same(both.events, (await heard(chunks, false)).events)
  t.equal(both.events.length, 7)
})

t.test('frames that stand whole in a read do not go through ws', async t => {
  const frames = Array.from({ length: 100 }, (_, place) => wire({ first: TEXT, bytes: 50 + place }, place))
  const both = await heard([Buffer.concat(frames)], true)
  t.equal(both.taken, 100)
  t.equal(both.events.length, 101)
})

t.test('frames of one read have one stamp, but for those behind what ws got of it', async t => {
  const plain = { first: TEXT, bytes: 5 }
  const frames = [plain, plain, { first: PING, bytes: 2 }, plain, plain].map(wire)
  const { stamps } = await heard([Buffer.concat(frames), wire(plain, 5)], true)
  t.same(stamps, [1, 1, 2, 2, 3])
})

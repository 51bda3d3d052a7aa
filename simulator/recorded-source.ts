import { constants, createReadStream } from 'node:fs'
import { access } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { parsedObject } from '../platform/json-object.js'
import { LineSplitter } from '../platform/line-splitter.js'

/** Unsent bytes of the connection above which sending pauses. */
const PAUSE_ABOVE_BYTES = 1024 * 1024
/** Sending gives other work a turn after so many frames at the latest. */
const FRAMES_PER_TURN = 512

export interface RecordedFrame {
  /** Unix seconds of its receipt; undefined in files of bare frames. */
  atSeconds: number | undefined
  bytes: Buffer
}

/** Where frames are played to. */
export interface Listener {
  readonly open: boolean
  readonly bufferedBytes: number
  send(frame: Buffer): void
  /** Sends and waits until it left for the network. */
  sendAndWait(frame: Buffer): Promise<void>
}

/** Lines of a file that are not empty, without their line feeds, whatever their bytes; the last one may lack its end. */
async function* linesOf(path: string): AsyncGenerator<{ line: Buffer; isEnded: boolean }> {
  const lines = new LineSplitter()
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    for (const line of lines.split(chunk)) if (line.length > 0) yield { line, isEnded: true }
  }
  if (lines.rest.length > 0) yield { line: lines.rest, isEnded: false }
}

/**
 * What the exchange sent, in order: from lines `{"t":…,"dir":"in","raw":"…"}`, of which other directions are left out, and
 * so is a last one that was cut off; or from lines that are a frame each.
 * @throws EdgeError RECORDING_UNREADABLE another of those lines is cut off
 */
export async function* framesOf(path: string): AsyncGenerator<RecordedFrame, undefined> {
  for await (const { line, isEnded } of linesOf(path)) {
    const session = sessionLine(line, isEnded, path)
    if (session === undefined) yield { atSeconds: undefined, bytes: line }
    else if (session.dir === 'in' && session.raw !== undefined) {
      yield { atSeconds: session.t, bytes: Buffer.from(session.raw) }
    }
  }
}

interface SessionLine {
  t: number | undefined
  dir: string
  raw: string | undefined
}

/** Undefined for a line that is a frame itself. */
function sessionLine(line: Buffer, isEnded: boolean, path: string): SessionLine | undefined {
  // A frame never starts with these keys, so most lines need no parsing here.
  const head = line.subarray(0, 64).toString('latin1')
  if (!/^\{\s*"(t|dir)"/.test(head)) return undefined
  const value = parsedObject(line)
  if (!value && isEnded) {
    const message = `${path}: a line is no JSON: ${head}`
    throw new EdgeError('RECORDING_UNREADABLE', message, { path, hint: 'take the line out, or copy the file anew' })
  }
  const { t, dir, raw } = value ?? { dir: 'cut off' }
  if (typeof dir !== 'string') return undefined
  return { t: typeof t === 'number' ? t : undefined, dir, raw: typeof raw === 'string' ? raw : undefined }
}

/** What can be known of a recording before it is played. */
export interface Recording {
  frames: number
  /** ms since the epoch of the first frame that has a time. */
  startMs: number | undefined
}

/**
 * Reads a recording once, and shows each frame's text to `look`.
 * @throws EdgeError RECORDING_EMPTY there is no frame in it; RECORDING_UNREADABLE it cannot be read
 */
export async function scanRecording(path: string, look: (frame: string) => void): Promise<Recording> {
  try {
    await access(path, constants.R_OK)
  } catch (cause) {
    throw new EdgeError('RECORDING_UNREADABLE', `cannot read ${path}: ${messageOf(cause)}`, { path, cause })
  }
  let frames = 0
  let startMs: number | undefined
  for await (const { atSeconds, bytes } of framesOf(path)) {
    frames += 1
    if (atSeconds !== undefined) startMs ??= Math.floor(atSeconds * 1000)
    look(bytes.toString('utf8'))
  }
  if (frames === 0) {
    throw new EdgeError('RECORDING_EMPTY', `${path} holds no frame that the exchange sent`, {
      path,
      hint: 'wanted: lines {"t":…,"dir":"in","raw":"…"}, or one frame per line',
    })
  }
  return { frames, startMs }
}

/**
 * Plays a recording once, to whoever subscribes first. Where that connection ends before its time, the next one to
 * subscribe gets the rest.
 */
export class RecordingPlayer {
  /** Resolves when the last frame was sent. */
  readonly finished: Promise<void>
  framesSent = 0
  private readonly frames: AsyncGenerator<RecordedFrame, undefined>
  private pending: RecordedFrame | undefined
  private listener: Listener | undefined
  private playing = false
  private done = false
  private finish: () => void = () => undefined
  private fail: (error: unknown) => void = () => undefined

  /** `speed` 0: as fast as the connection takes it. */
  constructor(
    path: string,
    private readonly speed: number,
  ) {
    this.frames = framesOf(path)
    this.finished = new Promise((resolve, reject) => {
      this.finish = resolve
      this.fail = reject
    })
    // Whoever does not ask for the end need not hear of a failure either: the session simply ends.
    this.finished.catch(() => undefined)
  }

  /** Starts or resumes; ignored while another connection, still open, is being played to. */
  playTo(listener: Listener): void {
    if (this.done || this.listener?.open) return
    this.listener = listener
    if (this.playing) return
    this.playing = true
    this.run().then(
      ended => {
        this.playing = false
        this.done = ended
        if (ended) this.finish()
      },
      (error: unknown) => {
        this.done = true
        this.fail(error)
      },
    )
  }

  /** True at the end of the recording, false where the listener went away before. */
  private async run(): Promise<boolean> {
    let anchor: { realMs: number; atSeconds: number } | undefined
    for (;;) {
      this.pending ??= await this.next()
      const frame = this.pending
      if (!frame) return true
      if (this.speed > 0 && frame.atSeconds !== undefined) {
        anchor ??= { realMs: performance.now(), atSeconds: frame.atSeconds }
        const dueMs = anchor.realMs + ((frame.atSeconds - anchor.atSeconds) * 1000) / this.speed
        if (dueMs > performance.now()) await sleep(dueMs - performance.now())
      }
      const { listener } = this
      if (!listener?.open) return false
      this.pending = undefined
      this.framesSent += 1
      if (listener.bufferedBytes > PAUSE_ABOVE_BYTES) await listener.sendAndWait(frame.bytes)
      else listener.send(frame.bytes)
      if (this.framesSent % FRAMES_PER_TURN === 0) await sleep(0)
    }
  }

  private async next(): Promise<RecordedFrame | undefined> {
    const result = await this.frames.next()
    return result.done ? undefined : result.value
  }
}

import { isBeside, type Frame } from '../frame.js'
import { readFrameBatches, type ReadOptions } from '../read-frames.js'

const MINUTE_US = 60_000_000
/** How far back a frame is looked for, the likely span first, µs. */
const BACK_US = [MINUTE_US, 60 * MINUTE_US]

type Place = Pick<ReadOptions, 'path' | 'onProblem'>

/** What each of some channels brought last up to a moment; those that brought nothing for long are left out. */
export async function lastFrames(place: Place, channels: readonly string[], atUs: number): Promise<Map<string, Frame>> {
  const found = new Map<string, Frame>()
  for (const backUs of BACK_US) {
    const missing = channels.filter(channel => !found.has(channel))
    if (missing.length === 0) break
    const wanted = new Set(missing)
    const span = { from: atUs - backUs, to: atUs + 1, channels: missing }
    for await (const batch of readFrameBatches({ ...place, ...span }))
      for (const frame of batch) if (isData(frame, wanted)) found.set(frame.channel, frame)
  }
  return found
}

/** What a channel brings first after a moment, soon; undefined where it does not. */
export async function firstFrame(place: Place, channel: string, afterUs: number): Promise<Frame | undefined> {
  const wanted = new Set([channel])
  const span = { from: afterUs + 1, to: afterUs + MINUTE_US, channels: [channel] }
  for await (const batch of readFrameBatches({ ...place, ...span }))
    for (const frame of batch) if (isData(frame, wanted)) return frame
  return undefined
}

function isData(frame: Frame, channels: ReadonlySet<string>): frame is Frame & { channel: string } {
  return frame.channel !== undefined && channels.has(frame.channel) && !isBeside(frame.conn)
}

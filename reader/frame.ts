import { exchangeNamed, exchanges } from '../exchanges/registry.js'
import type { SegmentName } from '../formats/raw-path.js'
import { StoredLine } from '../formats/stored-line.js'

/** One recorded frame: a message as it was received, and when. */
export interface Frame {
  /** Receive time, µs since the epoch. */
  readonly recvUs: number
  /** Connection within the run: `d1` …; what was sent on it `d1.sent`, what was asked for it `d1.http`; `http`, `backfill`, `journal`. */
  readonly conn: string
  /** Counts the frames of the connection within the run, over all families, from 1. */
  readonly seq: number
  /** Family of channels whose segment holds it, e.g. `trades`; '' for a file outside of any `raw/`. */
  readonly family: string
  /** Where and when it was recorded; undefined for a file outside of any `raw/`. */
  readonly segment: SegmentName | undefined
  /** The channel that the frame names, e.g. `trades.BTC-PERPETUAL.100ms`; undefined for frames of no channel. */
  readonly channel: string | undefined
  /** The frame as it was received. */
  readonly bytes: Buffer
  /** The same as text. */
  readonly text: string
  /**
   * The frame parsed as JSON, anew each time. Ids beyond 2^53 lose digits there: take those from `text`.
   * @throws SyntaxError the frame is no JSON
   */
  json(): unknown
}

/** Whether frames under such a name came on no connection, but belong to one. */
export const isBeside = (conn: string) => conn.endsWith('.sent') || conn.endsWith('.http')

/** A stored line as programs read it: with the channel that it names. */
export class LineFrame extends StoredLine implements Frame {
  get channel(): string | undefined {
    return channelIn(this.bytes, this.segment)
  }
}

/** The channel that a frame names to the exchange that it is of; where nobody says which, to the first that finds one. */
function channelIn(bytes: Buffer, segment: SegmentName | undefined): string | undefined {
  if (segment) return exchangeNamed(segment.exchange).frames.channelOf(bytes, segment.channel)
  for (const { frames } of exchanges) {
    const channel = frames.channelOf(bytes, '')
    if (channel !== undefined) return channel
  }
  return undefined
}

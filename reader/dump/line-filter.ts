import type { Frames } from '../../exchanges/exchange.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import { parseLineHead } from '../../formats/raw-line.js'
import type { SegmentName } from '../../formats/raw-path.js'

/** Which lines a person asked for; what is undefined picks all. */
export interface LineChoice {
  /** A channel as on the wire, or its beginning up to a dot: `trades` or `trades.BTC-PERPETUAL`. */
  channel: string | undefined
  instrument: string | undefined
  /** Connection: `d1`, `d1.sent`, `http`, `backfill`, `journal`. */
  conn: string | undefined
  /** Receive time, µs since the epoch: from this one … */
  fromUs: number | undefined
  /** … up to but not including this one. */
  toUs: number | undefined
}

/**
 * Whether a line of a segment was asked for. Lines that are not ours are shown where nothing else is asked than all.
 * @param segment of the file: a choice of its family takes all of its lines, whether or not they name a channel
 */
export function lineFilter(choice: LineChoice, segment?: SegmentName): (line: string) => boolean {
  // A line outside of any segment may be of any exchange.
  const ways = (segment ? [exchangeNamed(segment.exchange)] : exchanges).map(({ frames }) => frames)
  const { instrument, conn, fromUs = -Infinity, toUs = Infinity } = choice
  const channel = choice.channel === segment?.channel ? undefined : choice.channel
  const needsHead = choice.fromUs !== undefined || choice.toUs !== undefined || conn !== undefined
  const named = instrument === undefined ? undefined : namesInstrument(ways, instrument)
  return line => {
    if (needsHead) {
      const head = parseLineHead(line)
      if (head === undefined || head.recvUs < fromUs || head.recvUs >= toUs) return false
      if (conn !== undefined && head.conn !== conn) return false
    }
    const found = firstMatch(ways, line, segment?.channel ?? '')
    if (channel !== undefined && found !== channel && found?.startsWith(`${channel}.`) !== true) return false
    if (instrument === undefined) return true
    return found?.split('.').includes(instrument) === true || named?.test(line) === true
  }
}

function firstMatch(ways: readonly Frames[], line: string, family: string): string | undefined {
  for (const { channelText, calledIn } of ways) {
    const found = channelText.exec(line)?.[1]
    if (found !== undefined) return calledIn?.(found, family) ?? found
  }
  return undefined
}

/** As tables and the journal spell it, or as an exchange does. */
function namesInstrument(ways: readonly Frames[], instrument: string): RegExp {
  const name = escaped(instrument)
  const others = ways.map(({ instrumentText }) => (instrumentText === undefined ? '' : `|${instrumentText(name)}`))
  return new RegExp(`"(?:instrument_name|instrument)"\\s*:\\s*"${name}"${others.join('')}`)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

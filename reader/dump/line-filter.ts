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
  const family = segment?.channel ?? ''
  const needsHead = choice.fromUs !== undefined || choice.toUs !== undefined || conn !== undefined
  const about = instrument === undefined ? [] : ways.flatMap(way => aboutInstrument(way, instrument, family))
  return line => {
    if (needsHead) {
      const head = parseLineHead(line)
      if (head === undefined || head.recvUs < fromUs || head.recvUs >= toUs) return false
      if (conn !== undefined && head.conn !== conn) return false
    }
    const found = channel === undefined && instrument === undefined ? [] : channelsIn(ways, line, family)
    if (channel !== undefined && !found.some(name => name === channel || name.startsWith(`${channel}.`))) return false
    return instrument === undefined || about.some(({ name, named }) => found.some(holds(name)) || named.test(line))
  }
}

/** What a line's channel is called, by each exchange that finds one in it. */
const channelsIn = (ways: readonly Frames[], line: string, family: string) =>
  ways.flatMap(({ channelText, calledIn }) => {
    const found = channelText.exec(line)?.[1]
    return found === undefined ? [] : [calledIn?.(found, family) ?? found]
  })

/** Names may have dots of their own. */
const holds = (name: string) => (channel: string) => `.${channel}.`.includes(`.${name}.`)

/** An instrument as an exchange spells it in segments of a family, and as tables, the journal and its frames name it. */
function aboutInstrument({ spelledIn, instrumentText }: Frames, instrument: string, family: string) {
  const name = spelledIn ? spelledIn(instrument, family) : instrument
  if (name === undefined) return []
  const own = instrumentText === undefined ? '' : `|${instrumentText(escaped(name))}`
  return [{ name, named: new RegExp(`"(?:instrument_name|instrument)"\\s*:\\s*"${escaped(instrument)}"${own}`) }]
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

import { parseLineHead } from '../../formats/raw-line.js'

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

const CHANNEL = /"channel"\s*:\s*"([^"]*)"/

/**
 * Whether a line of a segment was asked for. Lines that are not ours are shown where nothing else is asked than all.
 * @param family of the file; a choice of it takes all of its lines, whether or not they name a channel
 */
export function lineFilter(choice: LineChoice, family?: string): (line: string) => boolean {
  const { instrument, conn, fromUs = -Infinity, toUs = Infinity } = choice
  const channel = choice.channel === family ? undefined : choice.channel
  const needsHead = choice.fromUs !== undefined || choice.toUs !== undefined || conn !== undefined
  const named = instrument === undefined ? undefined : namesInstrument(instrument)
  return line => {
    if (needsHead) {
      const head = parseLineHead(line)
      if (head === undefined || head.recvUs < fromUs || head.recvUs >= toUs) return false
      if (conn !== undefined && head.conn !== conn) return false
    }
    const found = CHANNEL.exec(line)?.[1]
    if (channel !== undefined && found !== channel && found?.startsWith(`${channel}.`) !== true) return false
    if (instrument === undefined) return true
    return found?.split('.').includes(instrument) === true || named?.test(line) === true
  }
}

/** As Deribit and the journal spell it, or as a word of a request's id. */
function namesInstrument(instrument: string): RegExp {
  const name = escaped(instrument)
  return new RegExp(`"(?:instrument_name|instrument)"\\s*:\\s*"${name}"|"id"\\s*:\\s*"[^"]* ${name}[ "]`)
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

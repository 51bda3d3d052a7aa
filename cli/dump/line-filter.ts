import { EdgeError } from '../../platform/edge-error.js'
import { parseLineHead } from '../../recorder/segment-format.js'

/** Which lines a person asked for; what is undefined picks all. */
export interface LineChoice {
  /** A channel as on the wire, or its beginning up to a dot: `trades` or `trades.BTC-PERPETUAL`. */
  channel: string | undefined
  instrument: string | undefined
  /** Receive time, µs since the epoch: from this one … */
  fromUs: number | undefined
  /** … up to but not including this one. */
  toUs: number | undefined
}

const CHANNEL = /"channel"\s*:\s*"([^"]*)"/

/** Whether a line of a segment was asked for. Lines that are not ours are shown where nothing else is asked than all. */
export function lineFilter(choice: LineChoice): (line: string) => boolean {
  const { channel, instrument, fromUs = -Infinity, toUs = Infinity } = choice
  const timed = choice.fromUs !== undefined || choice.toUs !== undefined
  const named = instrument === undefined ? undefined : new RegExp(`"instrument_name"\\s*:\\s*"${escaped(instrument)}"`)
  return line => {
    if (timed) {
      const head = parseLineHead(line)
      if (head === undefined || head.recvUs < fromUs || head.recvUs >= toUs) return false
    }
    const found = CHANNEL.exec(line)?.[1]
    if (channel !== undefined && found !== channel && found?.startsWith(`${channel}.`) !== true) return false
    if (instrument === undefined) return true
    return found?.split('.').includes(instrument) === true || named?.test(line) === true
  }
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/**
 * µs since the epoch of a time as people write it: `2026-11-22`, `2026-11-22T14:00`, `2026-11-22 14:00:05.5`; UTC where
 * no zone is given.
 * @throws EdgeError TIME_INVALID
 */
export function parseTimeUs(text: string): number {
  const zoned = /[Zz]$|[+-]\d\d:?\d\d$/.test(text)
  const dateOnly = /^\d{4}-\d\d-\d\d$/.test(text)
  const ms = /^\d{4}-\d\d/.test(text) ? Date.parse(zoned || dateOnly ? text : `${text.replace(' ', 'T')}Z`) : NaN
  if (Number.isNaN(ms)) {
    throw new EdgeError('TIME_INVALID', `found ${JSON.stringify(text)}, wanted a time such as 2026-11-22T14:00`)
  }
  return ms * 1000
}

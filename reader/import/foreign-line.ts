/** What a line of somebody else's recording says. Pure. */
import { isUtf8 } from 'node:buffer'
import { isJsonLine } from '../../recorder/json-text.js'

/** A frame and when it was received. */
export interface ForeignFrame {
  kind: 'frame'
  /** µs since the epoch. */
  recvUs: number
  frame: Buffer
}

/** `lost`: the connection was lost here. `nothing`: a line that is not asked for. `broken`: one that cannot be taken, and why. */
export type ForeignLine = ForeignFrame | { kind: 'lost' } | { kind: 'nothing' } | { kind: 'broken'; reason: string }

/** Reads a line, without its line feed. */
export type LineReader = (line: Buffer) => ForeignLine

export const LOST: ForeignLine = { kind: 'lost' }
export const NOTHING: ForeignLine = { kind: 'nothing' }
export const broken = (reason: string): ForeignLine => ({ kind: 'broken', reason })

/** Whether bytes can stand in a line of ours as they are. */
export const isFrame = (bytes: Buffer) => isJsonLine(bytes) && isUtf8(bytes)

const CARRIAGE_RETURN = 0x0d

/** The line as it stands in files of Windows, too. */
export const withoutReturn = (line: Buffer) => (line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line)

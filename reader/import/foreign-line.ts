/** What a line of somebody else's recording says. Pure. */

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

const CARRIAGE_RETURN = 0x0d

/** The line as it stands in files of Windows, too. */
export const withoutReturn = (line: Buffer) => (line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line)

import { isUtf8 } from 'node:buffer'
import { parsedJson } from '../../platform/json-object.js'
import { soundFrames } from '../json-lines.js'
import { isJsonLine } from '../json-text.js'
import { encodePayload, FRAME_KEY, LINE_END, parseLineHead, type FrameEncoding } from '../../formats/raw-line.js'
import { looksWhole } from '../connection/pieces.js'
import type { BrokenFrame, OddFrames } from './messages.js'

/** Text that is no JSON, or JSON that would not fit one line, is kept as a string; what is no text, in base64. */
export function encodingOf(frame: Uint8Array): FrameEncoding {
  if (!isUtf8(frame)) return 'base64'
  return isJsonLine(frame) ? 'frame' : 'text'
}

/**
 * Lines were put together as if every frame were JSON; those with a frame that is none are spelled anew. Returns the
 * same bytes where there are none.
 *
 * @param spans where the frames stand in `lines`: from and to, one pair a line
 */
export function encodeLines(lines: Uint8Array, spans: Uint32Array): { lines: Uint8Array; odd?: OddFrames } {
  const isText = isUtf8(lines)
  const sound = isText ? soundFrames(lines, spans) : 0
  if (2 * sound === spans.length) return { lines }
  const parts: Uint8Array[] = []
  let taken = 0
  let odd: OddFrames | undefined
  const broken: BrokenFrame[] = []
  for (let index = 2 * sound; index < spans.length; index += 2) {
    const from = spans[index] ?? 0
    const to = spans[index + 1] ?? 0
    if (isText && isJsonLine(lines, from, to)) continue
    const frame = Buffer.from(lines.buffer, lines.byteOffset + from, to - from)
    const encoding = encodingOf(frame)
    if (encoding === 'frame') continue
    const headFrom = index === 0 ? 0 : (spans[index - 1] ?? 0) + LINE_END.length
    const { recvUs, ...source } = sourceOf(lines.subarray(headFrom, from))
    odd = { ...(odd ?? { encoding, ...source }), frames: (odd?.frames ?? 0) + 1 }
    if (broken.length < BROKEN_MAX && isBroken(frame, encoding))
      broken.push({ conn: source.conn, recvUs, head: frame.toString('latin1', 0, HEAD_BYTES) })
    parts.push(
      lines.subarray(taken, from - FRAME_KEY.length),
      Buffer.from(`"${encoding}":`),
      encodePayload(frame, encoding),
    )
    taken = to
  }
  if (!odd) return { lines }
  if (broken.length > 0) odd.broken = broken
  return { lines: Buffer.concat([...parts, lines.subarray(taken)]), odd }
}

/** Of more in one batch the family is reported all the same. */
const BROKEN_MAX = 500
/** The name of a channel stands within these. */
const HEAD_BYTES = 300

/** Whether a frame only seemed whole; what merely has white space in it, or is nested too deeply, is. */
const isBroken = (frame: Buffer, encoding: FrameEncoding) =>
  encoding === 'text' && looksWhole(frame) && parsedJson(frame) === undefined

function sourceOf(head: Uint8Array): { conn: string; seq: number; recvUs: number } {
  const parsed = parseLineHead(Buffer.from(head).toString('latin1'))
  return { conn: parsed?.conn ?? '', seq: parsed?.seq ?? 0, recvUs: parsed?.recvUs ?? 0 }
}

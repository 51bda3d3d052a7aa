import { endOfString, endOfValue, SIGNS, skipBlanks } from '../../platform/json-bytes.js'
import { broken, isFrame, NOTHING, withoutReturn, type LineReader } from './foreign-line.js'
import { receiveTimeUs, type TimeUnit } from './receive-time.js'

/** How lines of JSON say what is asked for. */
export interface JsonLineForm {
  /** The member with the receive time; `a.b` for one within another. */
  timeField: string
  timeUnit: TimeUnit
  /** The member with the frame, as JSON or as text; undefined: the whole line is the frame. */
  frameField: string | undefined
  /** Lines whose member has this value; undefined: all. */
  only: { field: string; value: string } | undefined
}

/** Reads lines of one JSON object each, byte for byte: nothing of a frame is parsed and written anew. */
export function jsonLineReader({ timeField, timeUnit, frameField, only }: JsonLineForm): LineReader {
  const timePath = timeField.split('.')
  const framePath = frameField?.split('.')
  const onlyPath = only?.field.split('.')
  return bytes => {
    const line = withoutReturn(bytes)
    if (line.length === 0) return NOTHING
    if (!isFrame(line)) return broken('no JSON in UTF-8')
    if (only && onlyPath && textOf(memberOf(line, onlyPath)) !== only.value) return NOTHING
    const time = textOf(memberOf(line, timePath))
    const recvUs = time === undefined ? undefined : receiveTimeUs(time, timeUnit)
    if (recvUs === undefined) return broken(`${timeField} is no time in ${timeUnit}`)
    if (!framePath) return { kind: 'frame', recvUs, frame: line }
    const frame = frameOf(memberOf(line, framePath))
    return frame ? { kind: 'frame', recvUs, frame } : broken(`${frameField ?? ''} holds no frame of JSON`)
  }
}

/** A frame that stands in its line as text was written so that its bytes survive. */
function frameOf(value: Buffer | undefined): Buffer | undefined {
  if (!value) return undefined
  if (value[0] !== SIGNS.QUOTE) return value
  const frame = Buffer.from(String(JSON.parse(value.toString('utf8'))))
  return isFrame(frame) ? frame : undefined
}

function textOf(value: Buffer | undefined): string | undefined {
  if (!value) return undefined
  const text = value.toString('utf8')
  return text.startsWith('"') ? String(JSON.parse(text)) : text
}

/** The bytes of a member's value, by the names that lead to it; of a name that stands twice, the last. */
export function memberOf(object: Buffer, path: readonly string[]): Buffer | undefined {
  let value: Buffer | undefined = object
  for (const name of path) {
    if (!value) return undefined
    value = ownMember(value, name)
  }
  return value
}

const { QUOTE, OPEN_OBJECT, COMMA } = SIGNS

function ownMember(object: Buffer, name: string): Buffer | undefined {
  let at = skipBlanks(object, 0)
  if (object[at] !== OPEN_OBJECT) return undefined
  let found: Buffer | undefined
  for (at = skipBlanks(object, at + 1); object[at] === QUOTE; at = skipBlanks(object, at + 1)) {
    const keyEnd = endOfString(object, at)
    const key: unknown = JSON.parse(object.toString('utf8', at, keyEnd))
    const from = skipBlanks(object, skipBlanks(object, keyEnd) + 1)
    const to = endOfValue(object, from)
    if (key === name) found = object.subarray(from, to)
    at = skipBlanks(object, to)
    if (object[at] !== COMMA) return found
  }
  return found
}

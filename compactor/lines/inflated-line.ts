import { encodePayload, lineHead, parseLine, type FrameEncoding, type RawLine } from '../../formats/raw-line.js'
import { inflatedText, type Compression } from '../../platform/inflate.js'

/**
 * A line with the text that its message holds in place of the compressed message, which stays as it came in raw. Lines
 * that are no compressed message are given back as they are.
 */
export function inflatedLine(line: Buffer, compression: Compression): Buffer {
  const raw = parsed(line)
  // Most compressed messages are no UTF-8, but a short one may be.
  if (!raw || raw.encoding === 'frame') return line
  const text = inflatedText(raw.frame, compression)
  if (!text) return line
  const encoding: FrameEncoding = isOneLineOfJson(text) ? 'frame' : 'text'
  // Plain text may look like a compressed message, but hardly like one that holds JSON.
  if (raw.encoding === 'text' && encoding !== 'frame') return line
  const head = lineHead(raw.recvUs, raw.conn, raw.seq, encoding)
  return Buffer.concat([Buffer.from(head), encodePayload(text, encoding), Buffer.from('}')])
}

/** A line in which the text is damaged is no line of ours, and is judged later, like any other. */
function parsed(line: Buffer): RawLine | undefined {
  try {
    return parseLine(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isOneLineOfJson(text: Buffer): boolean {
  if (text.includes(0x0a)) return false
  try {
    JSON.parse(text.toString('utf8'))
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

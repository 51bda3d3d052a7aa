import { parsedJson } from '../../platform/json-object.js'
import { encodePayload, lineHead, parseLine, type FrameEncoding } from '../../formats/raw-line.js'
import { inflatedText, type Compression } from '../../platform/inflate.js'

/**
 * A line with the text that its message holds in place of the compressed message, which stays as it came in raw. Lines
 * that are no compressed message are given back as they are.
 */
export function inflatedLine(line: Buffer, compression: Compression): Buffer {
  const raw = parseLine(line)
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

const isOneLineOfJson = (text: Buffer) => !text.includes(0x0a) && parsedJson(text) !== undefined

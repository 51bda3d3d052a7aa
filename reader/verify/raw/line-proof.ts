import { isUtf8 } from 'node:buffer'
import { messageOf } from '../../../platform/edge-error.js'
import { parseLineHead } from '../../../formats/raw-line.js'

/** The facts of a line, and what is wrong with it. */
export interface LineProof {
  head: { recvUs: number; conn: string; seq: number } | undefined
  fault?: { code: string; message: string }
}

const CLOSING_BRACE = 0x7d

/** Proves one line (without its line feed): head as we write it, UTF-8, JSON, and a payload that can be decoded. */
export function proveLine(line: Buffer): LineProof {
  const head = parseLineHead(line.subarray(0, 160).toString('latin1'))
  if (!head)
    return { head, fault: { code: 'LINE_HEAD', message: `does not start like a line of ours: ${shown(line)}` } }
  if (line.at(-1) !== CLOSING_BRACE) return { head, fault: { code: 'LINE_END', message: 'does not end with }' } }
  if (!isUtf8(line)) return { head, fault: { code: 'LINE_NOT_UTF8', message: 'is not UTF-8' } }
  // Read as Latin-1, which is faster: what is JSON does not depend on the letters in its strings.
  const payload = line.toString('latin1', head.headLength, line.length - 1)
  try {
    const value: unknown = JSON.parse(payload)
    if (head.encoding !== 'frame' && typeof value !== 'string')
      return { head, fault: { code: 'LINE_PAYLOAD', message: `"${head.encoding}" holds no string` } }
    if (head.encoding === 'base64' && Buffer.from(String(value), 'base64').toString('base64') !== value)
      return { head, fault: { code: 'LINE_PAYLOAD', message: '"base64" does not hold base64' } }
  } catch (error) {
    return { head, fault: { code: 'LINE_NOT_JSON', message: `is not JSON: ${messageOf(error)}` } }
  }
  return { head }
}

function shown(line: Buffer): string {
  return JSON.stringify(line.subarray(0, 40).toString('utf8'))
}

import { broken, isFrame, LOST, withoutReturn, type ForeignLine } from './foreign-line.js'
import { receiveTimeUs } from './receive-time.js'

const SPACE = 0x20
/** The longest time. */
const TIME_BYTES = 35

/** A line of Tardis' exchange-native form: time in ISO 8601 with up to 100 ns, a space, the frame. A blank one: the connection was lost. */
export function tardisLine(bytes: Buffer): ForeignLine {
  const line = withoutReturn(bytes)
  if (line.length === 0) return LOST
  const space = line.subarray(0, TIME_BYTES + 1).indexOf(SPACE)
  const recvUs = space < 0 ? undefined : receiveTimeUs(line.toString('latin1', 0, space), 'iso')
  if (recvUs === undefined) return broken('no receive time at its start')
  const frame = line.subarray(space + 1)
  return isFrame(frame) ? { kind: 'frame', recvUs, frame } : broken('the frame is no JSON in UTF-8')
}

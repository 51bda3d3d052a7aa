import { parsedObject } from '../../platform/json-object.js'
import type { Frames } from '../exchange.js'
import { ARG_START, argEnd } from './frame-arg.js'
import { channelOfArg, isPush } from './message.js'
import { describeArg } from './names.js'

const ARG = Buffer.from('"arg"')

/** The channel of a frame by its bytes; undefined where only a parser understands it, too. */
export function channelOfFrame(frame: Buffer): string | undefined {
  const end = argEnd(frame)
  return end < 0 ? undefined : describeArg(frame.toString('latin1', ARG_START, end)).channel
}

/** The same in any spelling. */
function channelOf(frame: Buffer): string | undefined {
  const plain = channelOfFrame(frame)
  if (plain !== undefined || !frame.includes(ARG)) return plain
  const message = parsedObject(frame)
  return message && isPush(message) ? channelOfArg(message['arg']) : undefined
}

/** What frames say of themselves. */
export const frames: Frames = {
  channelOf,
  channelText: /"arg"\s*:\s*\{([^{}]*)\}/,
  calledIn: members => describeArg(members).channel,
  instrumentText: name => `"instId"\\s*:\\s*"${name}"`,
}

const TS = Buffer.from('"ts":"')

/** The exchange's own time in a frame of a channel, ms since the epoch: of the last of several rows. */
export function madeMs(frame: Buffer): number | undefined {
  if (argEnd(frame) < 0) return undefined
  const at = frame.lastIndexOf(TS)
  if (at < 0) return undefined
  const digits = frame.toString('latin1', at + TS.length, at + TS.length + 13)
  return /^\d{13}$/.test(digits) ? Number(digits) : undefined
}

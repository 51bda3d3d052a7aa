import { nameOfArg } from './names.js'

/** A frame as a parser reads it. Any member may be of any type: whatever came off the wire. */
export type Message = Readonly<Record<string, unknown>>

/** Undefined for anything but a JSON object. */
export function parseMessage(frame: Buffer | string): Message | undefined {
  try {
    const value: unknown = JSON.parse(frame.toString('utf8'))
    return isObject(value) ? value : undefined
  } catch (error) {
    // `pong`, or half a frame: kept as it came.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function isObject(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Our name of the channel that an `arg` names; undefined where it names none. */
export function channelOfArg(arg: unknown): string | undefined {
  if (!isObject(arg) || textOf(arg['channel']) === '') return undefined
  const member = (name: string) => textOf(arg[name])
  return nameOfArg({
    channel: member('channel'),
    instId: member('instId'),
    instFamily: member('instFamily'),
    instType: member('instType'),
  })
}

/** The rows of a frame of a channel, or of an answer over HTTP. */
export function rowsOf(message: Message | undefined): Message[] {
  const data = message?.['data']
  return Array.isArray(data) ? data.filter(isObject) : []
}

/** Whether it is a frame of a channel: what answers a subscription names one, too. */
export const isPush = (message: Message) => !('event' in message) && Array.isArray(message['data'])

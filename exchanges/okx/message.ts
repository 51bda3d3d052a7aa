import { isJsonObject, type JsonObject } from '../../platform/json-object.js'
import { nameOfArg } from './names.js'

/** A frame as a parser reads it. Any member may be of any type: whatever came off the wire. */
export type Message = JsonObject

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Our name of the channel that an `arg` names; undefined where it names none. */
export function channelOfArg(arg: unknown): string | undefined {
  if (!isJsonObject(arg) || textOf(arg['channel']) === '') return undefined
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
  return Array.isArray(data) ? data.filter(isJsonObject) : []
}

/** Whether it is a frame of a channel: what answers a subscription names one, too. */
export const isPush = (message: Message) => !('event' in message) && Array.isArray(message['data'])

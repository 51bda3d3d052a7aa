import type { Frames } from '../exchange.js'
import { namedChannel } from './frame-channel.js'

/** What frames say of themselves. */
export const frames: Frames = {
  channelOf: namedChannel,
  channelText: /"channel"\s*:\s*"([^"]*)"/,
  // What is asked over HTTP has an id that says so, in words.
  instrumentText: name => `"id"\\s*:\\s*"[^"]* ${name}[ "]`,
}

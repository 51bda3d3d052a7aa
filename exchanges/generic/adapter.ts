import type { GenericConfig } from './config.js'
import type { Adapter } from '../adapter.js'
import { Answers } from './answers.js'
import { FeedFamilies } from './feed-families.js'
import { GenericSession } from './session.js'

/** Any WebSocket feed, as its config describes it. There is nothing to discover: its families stand for its channels. */
export function generic(config: GenericConfig): Adapter {
  const families = new FeedFamilies(config.channelAt, config.families)
  const answers = new Answers(config.answers)
  const plan = new Map(families.names.map(name => [name, 1]))
  return {
    name: config.name,
    url: config.url,
    // It comes whole on each connection, and nothing about it is to be discovered again.
    spread: {
      channelsPerConnection: Infinity,
      connectionsMax: 2,
      redundancy: config.redundancy,
      rediscoverMs: 24 * 3600 * 1000,
    },
    comesWhole: true,
    isCompressed: config.decode !== 'none',
    liveness: { probeAfterMs: undefined, deadAfterMs: config.silenceSeconds * 1000 },
    ordinaryBytesMax: 8 * 1024 * 1024,
    familyOfChannel: family => family,
    discover: () => Promise.resolve({ plan, added: [], removed: [] }),
    news: () => undefined,
    openSession: link => new GenericSession(link, config, families, answers),
  }
}

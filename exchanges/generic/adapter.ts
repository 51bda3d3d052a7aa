import type { GenericExchange } from './config.js'
import type { Adapter } from '../adapter.js'
import { Answers } from './answers.js'
import { FeedFamilies } from './feed-families.js'
import { GenericSession } from './session.js'

/** Any WebSocket feed, as its config describes it. There is nothing to discover: its families stand for its channels. */
export function generic(config: GenericExchange): Adapter {
  const families = new FeedFamilies(config.channelAt, config.families)
  const answers = new Answers(config.answers)
  const plan = new Map(families.names.map(name => [name, 1]))
  return {
    name: config.name,
    url: config.url,
    comesWhole: true,
    liveness: { probeAfterMs: undefined, deadAfterMs: config.silenceSeconds * 1000 },
    ordinaryBytesMax: 8 * 1024 * 1024,
    familyOfChannel: family => family,
    discover: () => Promise.resolve({ plan, added: [], removed: [] }),
    news: () => undefined,
    openSession: link => new GenericSession(link, config, families, answers),
  }
}

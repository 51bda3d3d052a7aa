import { exchangeOf } from './registry.js'
import type { ExchangeConfig, FrameReading } from './settings.js'

/** The feed that a config describes. */
export interface DescribedFeed extends FrameReading {
  exchange: string
}

/** Undefined where the config describes none. */
export function describedFeed(config: ExchangeConfig): DescribedFeed | undefined {
  const reading = exchangeOf(config).settings.reading?.(config)
  return reading && { exchange: config.name, ...reading }
}

/** How the frames of an exchange are to be read: those of another than the described feed tell it themselves. */
export function readingOf(exchange: string, feed: DescribedFeed | undefined): FrameReading {
  if (feed?.exchange !== exchange) return { channelAt: [] }
  return { channelAt: feed.channelAt, decode: feed.decode }
}

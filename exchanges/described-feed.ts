import { exchangeOf } from './registry.js'
import type { ExchangeConfig } from './settings.js'

/** The feed that a config describes, and where its frames tell their channel: JSON pointers. */
export interface DescribedFeed {
  exchange: string
  channelAt: readonly string[]
}

/** Undefined where the config describes none. */
export function describedFeed(config: ExchangeConfig): DescribedFeed | undefined {
  const channelAt = exchangeOf(config).settings.channelAt?.(config)
  return channelAt && { exchange: config.name, channelAt }
}

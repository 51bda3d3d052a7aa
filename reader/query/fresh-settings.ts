import { loadConfig } from '../../config/load.js'
import { defaultConfig, type Config } from '../../config/schema.js'
import { describedFeeds } from '../../exchanges/described-feed.js'
import type { FreshSettings } from './fresh-rows.js'

/**
 * What is read, and how rows of it are made that are only in raw yet: as the config says, or for a folder as it is
 * without one.
 */
export function freshSettings(from: string | undefined, config: string): { root: string; fresh: FreshSettings } {
  if (from === undefined) {
    const loaded = loadConfig(config)
    return { root: loaded.dataDir, fresh: settingsOf(loaded) }
  }
  return { root: from, fresh: settingsOf(defaultConfig()) }
}

function settingsOf({ compact, exchanges }: Config): FreshSettings {
  return {
    limits: compact,
    keepDuplicates: compact.duplicates === 'keep',
    windowMs: compact.duplicatesWindowMs,
    feeds: describedFeeds(exchanges),
  }
}

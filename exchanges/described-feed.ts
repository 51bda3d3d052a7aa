import { exchangeOf } from './registry.js'
import type { ExchangeConfig, FrameReading } from './settings.js'

/** How frames of the feeds that a config describes are to be read, by the feed's name. */
export type DescribedFeeds = ReadonlyMap<string, FrameReading>

export function describedFeeds(configs: readonly ExchangeConfig[]): DescribedFeeds {
  const readings = configs.map(config => [config.name, exchangeOf(config).settings.reading?.(config)] as const)
  return new Map(readings.flatMap(([name, reading]) => (reading ? [[name, reading]] : [])))
}

/** How the frames of an exchange are to be read: those of any other exchange need no description. */
export const readingOf = (exchange: string, feeds: DescribedFeeds | undefined): FrameReading =>
  feeds?.get(exchange) ?? { channelAt: [] }

import type { Config } from '../config/schema.js'
import type { Credentials } from '../config/secrets.js'
import type { Logger } from '../platform/log.js'
import type { Adapter } from '../exchanges/adapter.js'
import type { FleetOptions } from './fleet.js'
import { deribit } from '../exchanges/deribit/adapter.js'
import { generic } from '../exchanges/generic/adapter.js'

/** A described feed comes whole on each connection, and nothing about it is to be discovered again. */
const WHOLE_FEED = { channelsPerConnection: Infinity, connectionsMax: 2, rediscoverMs: 24 * 3600 * 1000 }

/**
 * The exchange that the config names, and how its channels are spread over connections.
 * @throws EdgeError CREDENTIALS_MISSING
 */
export function chooseExchange(
  config: Config['exchange'],
  credentials: Credentials | undefined,
  log: Logger,
): { exchange: Adapter; fleet: FleetOptions } {
  const { redundancy } = config
  if (config.adapter === 'generic') return { exchange: generic(config), fleet: { ...WHOLE_FEED, redundancy } }
  const { channelsPerConnection, connectionsMax, rediscoverMinutes } = config
  return {
    exchange: deribit(config, credentials, log),
    fleet: { channelsPerConnection, connectionsMax, redundancy, rediscoverMs: rediscoverMinutes * 60_000 },
  }
}

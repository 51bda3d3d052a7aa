import type { DeribitExchange } from '../../../config/schema.js'
import type { Credentials } from '../../../config/secrets.js'
import { EdgeError } from '../../../platform/edge-error.js'
import type { Logger } from '../../../platform/log.js'
import type { Exchange } from '../../exchange.js'
import { familyOfChannel } from './channel-family.js'
import { fetchInstruments } from './discovery.js'
import { KnownChannels } from './known-channels.js'
import { planChannels } from './plan-channels.js'
import { createCreditPools } from './rpc.js'
import { DeribitSession, HEARTBEAT_SECONDS } from './session.js'

/**
 * Deribit, as the recorder's connection loop sees it.
 * @throws EdgeError CREDENTIALS_MISSING raw intervals are only given to those who log in
 */
export function deribit(config: DeribitExchange, credentials: Credentials | undefined, log: Logger): Exchange {
  if (config.interval === 'raw' && !credentials) {
    throw new EdgeError(
      'CREDENTIALS_MISSING',
      'exchange.interval is raw, which the exchange gives only after a login',
      {
        hint: 'set DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET (or DERIBIT_CLIENT_SECRET_FILE), or use exchange.interval: 100ms',
      },
    )
  }
  const credits = createCreditPools()
  const channels = new KnownChannels()
  return {
    name: config.name,
    url: config.url,
    silenceMs: HEARTBEAT_SECONDS * 2000 + 5000,
    familyOfChannel,
    async discover(take, signal) {
      const found = await fetchInstruments(config.url, config.currencies, answer => take('instruments', answer), signal)
      if (found.notUnderstood > 0)
        log.warn({ count: found.notUnderstood }, 'instruments not understood, and so not subscribed')
      return planChannels(found.instruments, config)
    },
    openSession: (link, wanted) => new DeribitSession(link, wanted, { credentials, log, credits, channels }),
  }
}

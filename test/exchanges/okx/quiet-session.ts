import pino from 'pino'
import { KnownChannels } from '../../../exchanges/known-channels.js'
import type { SessionLink } from '../../../exchanges/adapter.js'
import { Catalogue } from '../../../exchanges/okx/catalogue.js'
import { OkxHttp } from '../../../exchanges/okx/http.js'
import { describeArg } from '../../../exchanges/okx/names.js'
import { OkxSession } from '../../../exchanges/okx/session.js'
import { TradeKeeper } from '../../../exchanges/okx/trade-keeper.js'
import { silentLink } from './silent-link.js'

export const silent = pino({ level: 'silent' })

/** A session of a connection that nobody is at the other end of, and what it feeds. */
export function quietSession(link: SessionLink = silentLink(), wanted: () => ReadonlySet<string> = () => new Set()) {
  const http = new OkxHttp({ url: 'ws://127.0.0.1:1/ws/v5/public', httpUrl: undefined })
  const catalogue = new Catalogue(() => true)
  const trades = new TradeKeeper(http, { tradesPerHole: 0 }, silent)
  const session = new OkxSession(link, wanted, {
    config: { snapshotHours: 0 },
    log: silent,
    channels: new KnownChannels(describeArg),
    catalogue,
    keepers: [trades],
  })
  return { session, catalogue, trades }
}

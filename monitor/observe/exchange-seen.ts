import type { RecorderStatus } from '../../formats/part-status.js'
import type { ConnectionSeen } from './connections-seen.js'
import type { FamilySeen } from './families-seen.js'
import type { PartReport } from './parts.js'

/** One exchange at a glance, beside others. */
export interface ExchangeSeen {
  exchange: string
  /** Of its recorder. */
  state: PartReport['state']
  lastDataMs: number | undefined
  /** Over all families that it sends by itself. */
  framesPerSecond: number | undefined
  /** Receive time less the exchange's: of half of the families it is less. */
  lagMs: number | undefined
  /** How far its clock is ahead of ours. */
  offsetMs: number | undefined
  connections: { live: number; all: number }
  /** The last of what its people look at first; spread is ask less bid. */
  shown: { name: string; atMs: number | undefined; price?: number; spread?: number; iv?: number }[]
}

interface Seen {
  report: PartReport
  status: RecorderStatus
  families: readonly FamilySeen[]
  connections: readonly ConnectionSeen[]
  lastDataMs: number | undefined
}

/** Pure. */
export function exchangeSeen({ report, status, families, connections, lastDataMs }: Seen): ExchangeSeen {
  const streamed = families.filter(({ isStreamed }) => isStreamed)
  const rates = streamed.flatMap(({ framesPerSecond }) => framesPerSecond ?? [])
  const lags = streamed.flatMap(({ lagMs }) => lagMs ?? []).sort((a, b) => a - b)
  const { exchange_offset_us: us } = status
  return {
    exchange: status.exchange ?? report.of ?? '',
    state: report.state,
    lastDataMs,
    framesPerSecond: rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0),
    lagMs: lags[Math.floor(lags.length / 2)],
    offsetMs: us === undefined ? undefined : us / 1000,
    connections: { live: connections.filter(({ state }) => state === 'live').length, all: connections.length },
    shown: status.shown.map(({ name, price, bid, ask, iv, at }) => ({
      ...{ name, atMs: at },
      ...(price !== undefined && { price }),
      ...(bid !== undefined && ask !== undefined && { spread: ask - bid }),
      ...(iv !== undefined && { iv }),
    })),
  }
}

import { z } from '../../platform/zod.js'
import type { BybitHttp } from './http.js'
import { categoryOfChannel, expiryMsOf, isSpot, lastExpiryMs, symbolOf } from './names.js'

const PATH = '/v5/market/recent-trade'
/** The exchange lists no more of the past than this. */
export const ROWS = 1000
export const SPOT_ROWS = 60

export const rowsMax = (channel: string) => (isSpot(channel) ? SPOT_ROWS : ROWS)

const resultSchema = z.object({
  list: z.array(
    z.object({
      execId: z.string(),
      time: z.string().optional().catch(undefined),
      symbol: z.string().optional().catch(undefined),
    }),
  ),
})

/** A trade as the exchange lists it, newest first; the time is ms since the epoch, as text. */
export type ListedTrade = z.infer<typeof resultSchema>['list'][number]

/**
 * The exchange's own list of the last trades of a channel.
 * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED; TypeError the answer has no list
 */
export async function recentTrades(
  http: BybitHttp,
  channel: string,
  limit: number,
  signal: AbortSignal,
): Promise<{ bytes: Buffer; list: ListedTrade[] }> {
  const { bytes, result } = await http.get(PATH, { ...subjectOf(channel), limit }, signal)
  const { data } = resultSchema.safeParse(result)
  if (!data) throw new TypeError('the answer has no list of trades')
  return { bytes, list: data.list }
}

/**
 * From when on a list lacks nothing, as far as it goes back, ms since the epoch. Options are listed by coin, and whether those
 * that ended are among them is not documented: one in the list shows it.
 */
export function lacksNothingSinceMs(channel: string, list: readonly ListedTrade[], nowMs: number): number {
  if (categoryOfChannel(channel) !== 'option') return -Infinity
  const isOver = ({ symbol = '' }: ListedTrade) => expiryMsOf(symbol) <= nowMs
  return list.some(isOver) ? -Infinity : lastExpiryMs(nowMs)
}

/** How a channel's trades are asked for: of options by coin. */
function subjectOf(channel: string): Readonly<Record<string, string>> {
  const name = symbolOf(channel) ?? ''
  const category = categoryOfChannel(channel)
  return category === 'option' ? { category, baseCoin: name } : { category, symbol: name }
}

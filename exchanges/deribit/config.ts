import { z } from '../../platform/zod.js'
import { redundancy, snapshotHours } from '../config-keys.js'
import {
  backfill,
  bookGrouped,
  candleResolutions,
  channels,
  intervals,
  mainInterval,
  polls,
  unofferedGroup,
} from './config-channels.js'

const shard = z
  .strictObject({
    index: z
      .int()
      .min(0)
      .max(63)
      .default(0)
      .describe('which share of the channels this recorder takes, counted from 0'),
    count: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe('recorders that share the channels, by instrument; 1: no sharing'),
  })
  .refine(({ index, count }) => index < count, {
    path: ['index'],
    error: ({ input }) => `less than shard.count, which is ${String((input as { count?: unknown }).count)}`,
  })
  .prefault({})

/** The keys below `exchange:`. `adapter` need not be said. */
export const deribitConfig = z
  .strictObject({
    adapter: z.literal('deribit').default('deribit').describe('deribit, or generic for any other WebSocket feed'),
    name: z
      .string()
      .refine(name => name === 'deribit', 'deribit, or any name together with adapter: generic')
      .describe('which exchange; also the first partition of every path'),
    url: z
      .url({ protocol: /^wss?$/ })
      .default('wss://www.deribit.com/ws/api/v2')
      .describe('WebSocket endpoint'),
    currencies: z
      .array(z.string().regex(/^([A-Z0-9]{2,12}|any)$/, 'a settlement currency such as BTC, or any'))
      .min(1)
      .default(['BTC', 'ETH'])
      .describe('settlement currencies, or [any]'),
    interval: mainInterval,
    intervals,
    rawFallback: z
      .enum(['100ms', 'agg2'])
      .optional()
      .describe('interval used where the exchange refuses raw; none: those channels stay refused'),
    login: z
      .enum(['credentials', 'signature'])
      .default('credentials')
      .describe('how to log in: send the secret itself, or a signature made with it'),
    tradesBy: z
      .enum(['currency', 'instrument'])
      .default('currency')
      .describe('one channel of trades for all instruments of a kind and currency, or one for each instrument'),
    candleResolutions,
    bookGrouped,
    channelsPerConnection: z
      .int()
      .min(1)
      .max(20_000)
      .default(1500)
      .describe('most channels on one connection; more open further connections, balanced by expected traffic'),
    connectionsMax: z
      .int()
      .min(2)
      .max(32)
      .default(20)
      .describe('most connections at once; beyond it each takes more channels. The exchange allows 32 per IP address'),
    rediscoverMinutes: z
      .number()
      .min(0.1)
      .max(1440)
      .default(15)
      .describe('how often the list of instruments is fetched, minutes; also at the start of each hour'),
    snapshotHours: snapshotHours('each book'),
    redundancy,
    shard,
    backfill,
    channels,
    polls,
  })
  .superRefine((value, context) => {
    const unoffered = unofferedGroup(value)
    if (unoffered === undefined) return
    const { currency, groups } = unoffered
    const path = ['bookGrouped', 'group']
    context.addIssue({
      code: 'custom',
      path,
      input: value.bookGrouped.group,
      message: `one of ${groups}, which ${currency} has`,
    })
  })

export type DeribitConfig = z.infer<typeof deribitConfig>

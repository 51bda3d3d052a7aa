import { z } from '../platform/zod.js'
import { messageOf } from '../platform/edge-error.js'
import type { Fault, Faults } from './faults.js'
import type { Market } from './market/market.js'
import type { ExpirySurface } from './market/pricing.js'

const times = z.int().min(0).optional()
const channel = z.string().min(1)

/** Faults as JSON; `times` 0 means until cleared. */
const faultSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('drop'), channel, times }),
  z.strictObject({ type: z.literal('duplicate'), channel, times }),
  z.strictObject({ type: z.literal('delay'), channel, delayMs: z.number().min(0), times }),
  z.strictObject({ type: z.literal('malformed'), channel, keeps: z.enum(['half', 'most']).optional(), times }),
  z.strictObject({ type: z.literal('huge'), channel, bytes: z.int().min(1), times }),
  z.strictObject({ type: z.literal('deep'), channel, depth: z.int().min(1), times }),
  z.strictObject({ type: z.literal('binary'), channel, times }),
  z.strictObject({ type: z.literal('no_history'), instrument: z.string().optional(), times }),
  z.strictObject({
    type: z.literal('reject_subscribe'),
    code: z.int(),
    message: z.string(),
    data: z.union([z.string(), z.record(z.string(), z.string())]).optional(),
    times,
  }),
  z.strictObject({ type: z.literal('refuse_channel'), channel, times }),
  z.strictObject({ type: z.literal('no_answer'), channel, times }),
  z.strictObject({ type: z.literal('begin_anew'), channel, times }),
  z.strictObject({ type: z.literal('empty_promise'), channel, times }),
  z.strictObject({ type: z.literal('upgrade'), afterMs: z.number().min(0) }),
  z.strictObject({
    type: z.literal('short_list'),
    currency: z.string().optional(),
    instrument: channel.optional(),
    times,
  }),
  z.strictObject({
    type: z.literal('list_member'),
    instrument: channel.optional(),
    member: z.string().min(1),
    value: z.union([z.null(), z.boolean(), z.number(), z.string()]),
    times,
  }),
  z.strictObject({ type: z.literal('renumber'), instrument: z.string() }),
  z.strictObject({ type: z.literal('silence'), oldest: z.boolean().optional() }),
  z.strictObject({ type: z.literal('mute'), channel }),
  z.strictObject({
    type: z.literal('close'),
    code: z.int().optional(),
    reason: z.string().optional(),
    oldest: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('maintenance'), forMs: z.number().min(0) }),
])

const instrumentSchema = z.union([
  z.strictObject({ action: z.literal('create') }),
  z.strictObject({ action: z.literal('expire'), instrument_name: z.string() }),
])

export interface ControlAnswer {
  status: number
  text: string
}

/**
 * What other processes may order: `POST /control/fault` (a fault), `POST /control/clear`, `POST /control/instrument`
 * (create or expire one), `GET /control/state`, `GET /control/surface` (the parameters that options are marked by now).
 */
export class Control {
  constructor(
    private readonly faults: Faults,
    private readonly market: Market,
    private readonly did: (what: object) => void,
    private readonly state: () => object,
  ) {}

  handle(method: string, path: string, body: string): ControlAnswer {
    try {
      const done = this.carryOut(method, path, body)
      return done ? { status: 200, text: JSON.stringify(done) } : { status: 404, text: '{"error":"not found"}' }
    } catch (error) {
      if (error instanceof SyntaxError || error instanceof z.ZodError) {
        return { status: 400, text: JSON.stringify({ error: messageOf(error) }) }
      }
      throw error
    }
  }

  private carryOut(method: string, path: string, body: string): object | undefined {
    switch (`${method} ${path}`) {
      case 'POST /control/fault':
        this.faults.inject(faultSchema.parse(JSON.parse(body)) as Fault)
        return { ok: true }
      case 'POST /control/clear':
        this.faults.clear()
        return { ok: true }
      case 'POST /control/instrument': {
        const order = instrumentSchema.parse(JSON.parse(body))
        const { market } = this
        const listing = order.action === 'create' ? market.listNewStrike() : market.expire(order.instrument_name)
        if (listing) this.did({ instrument: listing.name, action: order.action })
        return listing && { ok: true, instrument_name: listing.name }
      }
      case 'GET /control/state':
        return { ...this.state(), faults: this.faults.struck }
      case 'GET /control/surface':
        return { now_ms: this.market.nowMs, expiries: this.market.surfaces().map(surfaceFields) }
      default:
        return undefined
    }
  }
}

const surfaceFields = ({ underlying, expiryMs, forward, years, slice }: ExpirySurface) => ({
  underlying,
  expiry_ms: expiryMs,
  forward,
  years,
  svi: slice,
})

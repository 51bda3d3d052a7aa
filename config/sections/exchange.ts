import { z } from '../../platform/zod.js'
import type { Exchange } from '../../exchanges/exchange.js'
import { adapters, exchanges } from '../../exchanges/registry.js'
import type { ExchangeConfig } from '../../exchanges/settings.js'

/** `name: generic`, or the name of an exchange, is as good as naming the adapter. */
function withAdapter(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value !== 'object' || value === null || 'adapter' in value || !('name' in value)) return value
  const { name } = value
  if (adapters.some(adapter => adapter.name === name)) return { adapter: name, ...value }
  const message = `${exchanges.map(exchange => exchange.name).join(', ')}, or any name together with adapter: generic`
  context.addIssue({ code: 'custom', path: ['name'], input: name, message })
  return z.NEVER
}

/** The keys below `exchange:` by adapter. A described feed may have any name but that of an exchange. */
async function adapterSchema({ name: adapter, settings }: Exchange): Promise<z.ZodObject> {
  const schema = await settings.schema()
  const isTaken = (name: unknown) => exchanges.some(exchange => exchange.name === name)
  if (isTaken(adapter)) return schema
  return schema.superRefine(({ name }, context) => {
    if (!isTaken(name)) return
    const message = `a name of your own for the feed; ${String(name)} has an adapter of its own`
    context.addIssue({ code: 'custom', path: ['name'], input: name, message })
  })
}

const [first, ...others] = adapters
export const adapterSchemas = [await adapterSchema(first), ...(await Promise.all(others.map(adapterSchema)))] as const

/** Whichever exchange it is: its own keys are known to its folder only. */
export const exchange = z.preprocess(
  withAdapter,
  z.discriminatedUnion('adapter', adapterSchemas),
) as z.ZodType as z.ZodType<ExchangeConfig>

import { EdgeError } from '../platform/edge-error.js'
import type { Exchange } from './exchange.js'
import { bybit } from './bybit/main.js'
import { deribit } from './deribit/main.js'
import { generic } from './generic/main.js'
import { okx } from './okx/main.js'
import type { ExchangeConfig } from './settings.js'
import type { Simulation } from './simulation.js'

/** All exchanges that edgetape knows by name; the first is meant where none is named. The only place that names them. */
export const exchanges: readonly [Exchange, ...Exchange[]] = [deribit, bybit, okx]

/** The same, and the feeds that a config describes. */
export const adapters: readonly [Exchange, ...Exchange[]] = [...exchanges, generic]

/** Whose files lie under `exchange=<name>`: a described feed's where the name is of no exchange. */
export function exchangeNamed(name: string): Exchange {
  return exchanges.find(exchange => exchange.name === name) ?? generic
}

/** The exchange that a config is about. */
export function exchangeOf({ adapter }: Pick<ExchangeConfig, 'adapter'>): Exchange {
  return exchangeNamed(adapter)
}

/** Names of the exchanges that can be simulated, the default first. */
export const simulatedNames: readonly string[] = exchanges.flatMap(({ name, simulation }) => (simulation ? [name] : []))

/**
 * How an exchange speaks over the simulated market, and of recordings.
 * @throws EdgeError EXCHANGE_NOT_SIMULATED
 */
export async function simulationOf(name = simulatedNames[0]): Promise<Simulation> {
  const simulation = await exchanges.find(exchange => exchange.name === name)?.simulation?.()
  if (simulation) return simulation
  const message = `found exchange ${name ?? ''}, wanted one of ${simulatedNames.join(', ')}`
  throw new EdgeError('EXCHANGE_NOT_SIMULATED', message, { hint: 'choose another --exchange' })
}

import type { Exchange } from './exchange.js'
import { deribit } from './deribit/main.js'
import { generic } from './generic/main.js'
import type { ExchangeConfig } from './settings.js'

/** All exchanges that edgetape knows by name; the first is meant where none is named. The only place that names them. */
export const exchanges: readonly [Exchange, ...Exchange[]] = [deribit]

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

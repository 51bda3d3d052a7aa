import type { Exchange } from './exchange.js'
import { deribit } from './deribit/main.js'
import { generic } from './generic/main.js'

/** All exchanges that edgetape knows by name. The only place that names them. */
export const exchanges: readonly Exchange[] = [deribit]

/** Whose files lie under `exchange=<name>`: a described feed's where the name is of no exchange. */
export function exchangeNamed(name: string): Exchange {
  return exchanges.find(exchange => exchange.name === name) ?? generic
}

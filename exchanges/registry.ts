import type { Exchange } from './exchange.js'
import { deribit } from './deribit/main.js'

/** All exchanges that edgetape knows by name. The only place that names them. */
export const exchanges: readonly Exchange[] = [deribit]

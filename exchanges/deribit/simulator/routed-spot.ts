import type { JsonObject } from '../../../simulator/json.js'
import { RpcError } from './rpc-error.js'

/** Spot pairs that are traded elsewhere on the exchange's behalf: what it does not send of their trades. */
export class RoutedSpot {
  readonly #pairs: ReadonlySet<string>
  /** Bases and quotes of the pairs. */
  readonly #currencies: ReadonlySet<string>

  /** `pairs`: names of instruments, `BTC_USDC`. */
  constructor(pairs: readonly string[]) {
    this.#pairs = new Set(pairs)
    this.#currencies = new Set(pairs.flatMap(pair => pair.split('_')))
  }

  has(instrument: string): boolean {
    return this.#pairs.has(instrument)
  }

  /** Trades and candles of such a pair have no channels, nor have trades of its currencies, spot among them. */
  hidesChannel(channel: string): boolean {
    const [family, first = '', second = ''] = channel.replace(/^chart\.trades\./, 'trades.').split('.')
    if (family !== 'trades') return false
    return this.#pairs.has(first) || ((first === 'spot' || first === 'any') && this.#currencies.has(second))
  }

  /** @throws RpcError 11060 history of the pair's trades or candles was asked for */
  refuseInstrument(instrument: string): void {
    if (this.#pairs.has(instrument)) throw notToBeHad()
  }

  /** @throws RpcError 11060 trades of a currency of a pair were asked for, spot among them */
  refuseCurrency(currency: string, kind: string): void {
    if ((kind === 'spot' || kind === 'any') && this.#currencies.has(currency)) throw notToBeHad()
  }

  /** The pair as lists show it: marked, and without the terms of blocks. */
  mark(instrument: string, fields: JsonObject): JsonObject {
    if (!this.#pairs.has(instrument)) return fields
    const kept = Object.entries(fields).filter(([key]) => !key.startsWith('block_trade_'))
    return { ...Object.fromEntries(kept), is_cbe_routed: true, is_csr: true }
  }
}

/** What its message says is not known. */
function notToBeHad(): RpcError {
  return new RpcError(11060, 'not_available')
}

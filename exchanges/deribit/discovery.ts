import type { HttpRpc, Take } from './http-rpc.js'
import { parseInstruments, type Instrument } from './instruments.js'

/**
 * Asks for the active instruments of each currency, over HTTP: metered apart from the sockets.
 * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED
 */
export async function fetchInstruments(
  rpc: HttpRpc,
  currencies: readonly string[],
  take: Take,
  signal: AbortSignal,
): Promise<{ instruments: Instrument[]; notUnderstood: number }> {
  const found = new Map<string, Instrument>()
  let notUnderstood = 0
  for (const currency of currencies) {
    const call = { id: `instruments ${currency}`, method: 'public/get_instruments', params: { currency } }
    const result = await rpc.call('instruments', call, take, signal)
    const parsed = parseInstruments(result)
    notUnderstood += parsed.notUnderstood
    for (const instrument of parsed.instruments) found.set(instrument.instrument_name, instrument)
  }
  return { instruments: [...found.values()], notUnderstood }
}

import { noList } from '../listings.js'
import type { HttpRpc, Take } from './http-rpc.js'
import { parseInstruments, type Instrument, type InstrumentList } from './instruments.js'

/**
 * Asks for the active instruments of each currency, over HTTP: metered apart from the sockets.
 * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED; INSTRUMENTS_NO_LIST an answer is something else than a list
 */
export async function fetchInstruments(
  rpc: HttpRpc,
  currencies: readonly string[],
  take: Take,
  signal: AbortSignal,
): Promise<InstrumentList> {
  const found = new Map<string, Instrument>()
  const all: InstrumentList = { instruments: [], inactive: new Map(), nameless: [], oddKinds: new Map() }
  for (const currency of currencies) {
    const call = { id: `instruments ${currency}`, method: 'public/get_instruments', params: { currency } }
    const result = await rpc.call('instruments', call, take, signal)
    if (!Array.isArray(result)) throw noList(currency, result)
    const list = parseInstruments(result)
    for (const instrument of list.instruments) found.set(instrument.instrument_name, instrument)
    for (const [name, state] of list.inactive) all.inactive.set(name, state)
    for (const [name, kind] of list.oddKinds) all.oddKinds.set(name, kind)
    all.nameless.push(...list.nameless)
  }
  return { ...all, instruments: [...found.values()] }
}

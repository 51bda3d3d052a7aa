import { Listings, type CatalogueClocks } from '../listings.js'
import { parseInstrument, type Instrument } from './instruments.js'
import { expiryMsOf } from './names.js'

/** States after which nothing more comes; those of before 2026 last. */
const GONE = new Set(['delivered', 'inactive', 'archivized', 'closed', 'deactivated', 'terminated'])
/** States in which an instrument can be subscribed. */
const ALIVE = new Set(['open', 'created', 'started'])
/** The instruments of the chosen currencies. */
export class Catalogue extends Listings<Instrument> {
  constructor(isChosen: (instrument: Instrument) => boolean, clocks?: CatalogueClocks) {
    super(isChosen, { isOver: state => GONE.has(state), expiryMsOf }, clocks)
  }

  /** Takes the `data` of a frame of `instrument.creation` or `instrument.state`. */
  hear(data: unknown): void {
    if (typeof data !== 'object' || data === null || !('instrument_name' in data)) return
    const { instrument_name: name } = data
    if (typeof name !== 'string') return
    const state = 'state' in data && typeof data.state === 'string' ? data.state : ''
    if (GONE.has(state)) this.hearGone(name, state)
    else this.hearAlive(name, ALIVE.has(state), parseInstrument(data))
  }
}

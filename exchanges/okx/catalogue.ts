import { Listings, type CatalogueClocks } from '../listings.js'
import { GONE, instrumentOf, isOpen, nameOf, stateOf, type Instrument } from './instruments.js'
import type { Message } from './message.js'
import { expiryMsOf } from './names.js'

/** The instruments that the config asks for, by lists and by what is pushed. */
export class Catalogue extends Listings<Instrument> {
  constructor(isChosen: (instrument: Instrument) => boolean, clocks?: CatalogueClocks) {
    super(isChosen, { isOver: state => GONE.has(state), expiryMsOf }, clocks)
  }

  /** Takes a row of channel `instruments`; a listing that was cancelled comes without a name; lists show it. */
  hear(row: Message): void {
    const name = nameOf(row)
    if (name === '') return
    const state = stateOf(row)
    if (GONE.has(state)) this.hearGone(name, state)
    else this.hearAlive(name, isOpen(row), instrumentOf(row))
  }
}

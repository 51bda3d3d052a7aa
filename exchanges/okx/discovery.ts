import { matcherOf } from '../globs.js'
import type { OkxConfig } from './config.js'
import { NOT_FOUND, RefusedError, type OkxHttp, type Take } from './http.js'
import {
  instrumentOf,
  isOpen,
  kindOfType,
  NOT_LISTED,
  nameOf,
  stateOf,
  TYPES,
  type Instrument,
  type InstType,
} from './instruments.js'
import { textOf, type Message } from './message.js'

/** What the lists say. */
export interface ListedInstruments {
  instruments: Instrument[]
  /** Names of those that say that nothing more comes of them, with their states. */
  inactive: Map<string, string>
  /** Entries without a name, as they came. */
  nameless: string[]
}

const LIST = () => 'instrument_list'
const CONTROL = () => 'control'
const SHOWN_CHARACTERS = 200
/** So many are asked for by themselves after a list. */
const ABSENT_MAX = 50
/** After a type without options this is not asked again for a while. */
const FAMILIES_FOR_MS = 3_600_000

/** Asks for the lists of instruments: one for each type, of options one for each family of those that are asked for. */
export class Discovery {
  readonly #http: OkxHttp
  readonly #config: Pick<OkxConfig, 'instruments' | 'channels'>
  #families: { names: string[]; atMs: number } | undefined

  constructor(http: OkxHttp, config: Pick<OkxConfig, 'instruments' | 'channels'>) {
    this.#http = http
    this.#config = config
  }

  /** Types of which anything is asked for. */
  get types(): InstType[] {
    return TYPES.filter(type => this.#config.channels[kindOfType[type]].length > 0)
  }

  /**
   * Asks for all lists. What was known and is not listed is asked for by itself: one list may be short, and what was
   * delisted is to be known of soon.
   * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED
   */
  async fetch(known: readonly Instrument[], take: Take, signal: AbortSignal): Promise<ListedInstruments> {
    const all: ListedInstruments = { instruments: [], inactive: new Map(), nameless: [] }
    for (const instType of this.types) {
      const queries = instType === 'OPTION' ? await this.#optionQueries(take, signal) : [{ instType }]
      for (const query of queries) {
        const rows = await this.#http.rows('public/instruments', query, take, LIST, signal)
        for (const row of rows) add(all, row)
      }
    }
    const listed = new Set(all.instruments.map(({ instrument_name }) => instrument_name))
    const absent = known.filter(({ instrument_name: name }) => !listed.has(name) && !all.inactive.has(name))
    for (const instrument of absent.slice(0, ABSENT_MAX)) await this.#askFor(instrument, all, take, signal)
    return all
  }

  async #askFor(
    { kind, instrument_name: name, instFamily }: Instrument,
    all: ListedInstruments,
    take: Take,
    signal: AbortSignal,
  ): Promise<void> {
    const instType = TYPES.find(type => kindOfType[type] === kind) ?? ''
    const query = { instType, instId: name, ...(instType === 'OPTION' && { instFamily }) }
    try {
      const rows = await this.#http.rows('public/instruments', query, take, LIST, signal)
      const own = rows.filter(row => nameOf(row) === name)
      for (const row of own) add(all, row)
      if (own.length === 0) all.inactive.set(name, NOT_LISTED)
    } catch (error) {
      if (!(error instanceof RefusedError && NOT_FOUND.has(error.refusal))) throw error
      all.inactive.set(name, NOT_LISTED)
    }
  }

  /** Families of options change when a coin gets some: that is looked for once an hour. */
  async #optionQueries(take: Take, signal: AbortSignal): Promise<{ instType: string; instFamily: string }[]> {
    const nowMs = performance.now()
    if (!this.#families || nowMs - this.#families.atMs > FAMILIES_FOR_MS) {
      const names = await this.#optionFamilies(take, signal)
      this.#families = { names, atMs: nowMs }
    }
    return this.#families.names.map(instFamily => ({ instType: 'OPTION', instFamily }))
  }

  async #optionFamilies(take: Take, signal: AbortSignal): Promise<string[]> {
    // Its answer is a list of lists of names, which is no row of any table.
    let found: string[] = []
    const remember: Take = (family, bytes) => {
      take(family, bytes)
      found = [...new Set(bytes.toString('utf8').match(/[A-Z0-9]+-[A-Z0-9]+(?:_UM)?/g) ?? [])]
    }
    await this.#http.rows('public/underlying', { instType: 'OPTION' }, remember, CONTROL, signal)
    // An option is called by its family and more.
    const isChosen = matcherOf(this.#config.instruments.map(optionGlob))
    return found.filter(isChosen)
  }
}

/** A pattern for families of which an instrument may fit: what stands behind the second hyphen is not of the family. */
function optionGlob(glob: string): string {
  const family = /^[^-*]*-[^-*]*(?=-)/.exec(glob)?.[0]
  return family ?? glob.replace(/\*.*$/, '*')
}

function add(all: ListedInstruments, row: Message): void {
  const name = nameOf(row)
  if (name === '') {
    all.nameless.push(JSON.stringify(row).slice(0, SHOWN_CHARACTERS))
    return
  }
  const instrument = instrumentOf(row)
  if (instrument === undefined) return
  if (isOpen(row) || textOf(row['state']) === '') all.instruments.push(instrument)
  else all.inactive.set(name, stateOf(row))
}

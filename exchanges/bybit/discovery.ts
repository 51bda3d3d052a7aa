import { createHash } from 'node:crypto'
import { z } from '../../platform/zod.js'
import { noList } from '../listings.js'
import type { BybitConfig } from './config.js'
import { SPOT } from './families.js'
import type { BybitHttp } from './http.js'
import { optionCoinsOf, parseInstruments, type Instrument, type InstrumentList } from './instruments.js'
import { CATEGORIES, type Category } from './names.js'

const PATH = '/v5/market/instruments-info'
const ROWS_PER_PAGE = 1000
/** More than any list has; whoever gives cursors without end is not followed. */
const PAGES_MAX = 50
/** So many are asked for by themselves after a list. */
const ABSENT_MAX = 50
/** A list that stays as it is is recorded once in this time. */
const KEPT_AGAIN_MS = 3_600_000

const resultSchema = z.object({ list: z.array(z.unknown()), nextPageCursor: z.string().optional().catch(undefined) })

/** Records an answer as it came, under a family. */
type Take = (family: string, answer: Buffer) => void

/** What one list is asked by. */
interface Question {
  category: Category
  params: Readonly<Record<string, string>>
}

/** Lists of instruments, asked for again and again; only what changed is recorded each time. */
export class Discovery {
  readonly #http: BybitHttp
  readonly #config: BybitConfig
  /** By question and page: what was recorded last, and when. */
  readonly #kept = new Map<string, { hash: string; atMs: number }>()

  constructor(http: BybitHttp, config: BybitConfig) {
    this.#http = http
    this.#config = config
  }

  /**
   * Asks for all categories of which anything is wanted. What was known and is not listed is asked for by itself: one list
   * may be short, and what has ended is to be known of soon.
   * @param known what was listed before
   * @throws EdgeError HTTP_CALL_FAILED, CALL_REFUSED; INSTRUMENTS_NO_LIST an answer is something else than a list
   */
  async list(known: readonly Instrument[], take: Take, signal: AbortSignal): Promise<InstrumentList> {
    const all: InstrumentList = { instruments: [], inactive: new Map(), nameless: [] }
    for (const question of this.#questions()) {
      const { instruments, inactive, nameless } = await this.#pages(question, take, signal)
      all.instruments.push(...instruments)
      for (const [name, state] of inactive) all.inactive.set(name, state)
      all.nameless.push(...nameless)
    }
    const listed = new Set(all.instruments.map(({ instrument_name }) => instrument_name))
    const absent = known.filter(({ instrument_name: name }) => !listed.has(name) && !all.inactive.has(name))
    for (const instrument of absent.slice(0, ABSENT_MAX)) await this.#askFor(instrument, all, signal)
    return all
  }

  async #askFor({ category, symbol, instrument_name: name }: Instrument, all: InstrumentList, signal: AbortSignal) {
    const { result } = await this.#http.get(PATH, { category, symbol }, signal)
    const { data } = resultSchema.safeParse(result)
    if (!data) return
    const { instruments, inactive } = parseInstruments(category, data.list)
    const found = instruments.find(instrument => instrument.symbol === symbol)
    if (found) all.instruments.push(found)
    else all.inactive.set(name, inactive.get(name) ?? 'not listed any more')
  }

  /** Those that are to come are listed apart; spot has none. Options are listed by coin. */
  #questions(): Question[] {
    const { channels } = this.#config
    const isWanted = (category: Category) =>
      category === 'spot' || category === 'option'
        ? channels[category].length > 0
        : channels.perpetual.length + channels.future.length > 0
    const coming = (params: Record<string, string>) => [params, { ...params, status: 'PreLaunch' }]
    return CATEGORIES.filter(isWanted).flatMap((category): Question[] => {
      if (category === 'spot') return [{ category, params: {} }]
      if (category !== 'option') return coming({}).map(params => ({ category, params }))
      return optionCoinsOf(this.#config).map(baseCoin => ({ category, params: { baseCoin } }))
    })
  }

  async #pages({ category, params }: Question, take: Take, signal: AbortSignal): Promise<InstrumentList> {
    const entries: unknown[] = []
    let cursor = ''
    for (let page = 0; page < PAGES_MAX; page++) {
      const asked = { category, limit: ROWS_PER_PAGE, ...params, ...(cursor !== '' && { cursor }) }
      const { bytes, result } = await this.#http.get(PATH, asked, signal)
      const { data } = resultSchema.safeParse(result)
      if (!data) throw noList(category, result)
      entries.push(...data.list)
      this.#keep(JSON.stringify(asked), category, bytes, JSON.stringify(result), take)
      cursor = data.nextPageCursor ?? ''
      if (cursor === '' || data.list.length === 0) break
    }
    return parseInstruments(category, entries)
  }

  #keep(question: string, category: Category, bytes: Buffer, result: string, take: Take): void {
    const hash = createHash('sha256').update(result).digest('hex')
    const known = this.#kept.get(question)
    const nowMs = performance.now()
    if (known?.hash === hash && nowMs - known.atMs < KEPT_AGAIN_MS) return
    if (this.#kept.size > PAGES_MAX * CATEGORIES.length) this.#kept.clear()
    this.#kept.set(question, { hash, atMs: nowMs })
    take(category === 'spot' ? `instruments${SPOT}` : 'instruments', bytes)
  }
}

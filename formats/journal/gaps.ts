import type { Gap, JournalEntry } from './gap.js'
import { Outages } from './outages.js'
import { TradeHoles } from './trade-holes.js'

/** Events that say something about gaps; all others need not be kept. */
export const GAP_EVENTS: ReadonlySet<string> = new Set([
  'started',
  'inherited',
  'stopped',
  'connected',
  'disconnected',
  'subscribed',
  'live',
  'gap',
  'covered',
  'lost',
  'silent',
  'trade_hole',
  'backfill',
  'book_break',
  'resync',
])

/** What is missing, by what the journal says in the order of its time. Pure. */
export function gapsOf(entries: readonly JournalEntry[]): Gap[] {
  const reader = new GapReader()
  for (const entry of entries) reader.read(entry)
  return reader.gaps
}

interface Idle {
  gap: Gap
  /** Something was subscribed since; a journal of 0.1.0 does not say when all was. */
  isSubscribed: boolean
}

class GapReader {
  readonly gaps: Gap[] = []
  readonly #outages = new Outages()
  /** By channel. */
  readonly #brokenBooks = new Map<string, Gap>()
  readonly #tradeHoles = new TradeHoles()
  /** By host: its recorder ended, and the next one has not come to record yet. */
  readonly #idle = new Map<string, Idle>()
  readonly #lastOf = new Map<string, JournalEntry>()

  read(entry: JournalEntry): void {
    const { host, recvUs, event, detail } = entry
    switch (event) {
      case 'started':
        this.#began(entry)
        break
      case 'stopped':
        this.#stopped(entry)
        break
      case 'disconnected':
        this.#outages.ended(entry, () => this.#add(entry, 'outage', { fromUs: recvUs, toUs: undefined }))
        if (detail['before_live'] === true) this.#noteSubscribed(host, false)
        break
      case 'subscribed':
        this.#outages.subscribed(entry)
        this.#noteSubscribed(host, true)
        break
      case 'live':
        this.#outages.live(entry)
        this.#recordsAgain(entry)
        break
      case 'gap':
      case 'covered':
        this.#remove(
          this.#outages.told(entry, numberOf(detail['from_us']) ?? -Infinity, numberOf(detail['to_us']) ?? Infinity),
        )
        if (event === 'gap') this.#add(entry, 'gap')
        break
      case 'lost':
      case 'silent':
        this.#add(entry, event)
        break
      case 'trade_hole':
        this.#tradeHoles.found(entry, this.#add(entry, event, { healed: false, families: ['trades'] }))
        break
      case 'book_break':
        this.#brokenBooks.set(bookOf(entry), this.#add(entry, event, { healed: false, families: ['book'] }))
        break
      case 'backfill':
        if (detail['outcome'] === 'filled') for (const gap of this.#tradeHoles.filled(entry)) gap.healed = true
        // Trades that were not even looked for.
        else if (detail['instrument'] === undefined)
          this.#add(entry, 'trade_hole', { healed: false, families: ['trades'] })
        break
      case 'resync':
        this.#mendBook(bookOf(entry), numberOf(detail['to_us']))
        break
    }
    this.#lastOf.set(host, entry)
  }

  /** What closed its connections first was not recording from then on. */
  #stopped(entry: JournalEntry): void {
    const { host, recvUs } = entry
    const closing = this.#outages.runEnded(host, recvUs).filter(({ cause }) => cause === STOPPING)
    for (const outage of closing) this.#remove(outage)
    const fromUs = Math.min(recvUs, ...closing.map(gap => gap.fromUs))
    const idle = this.#idleOf(host)
    // A run that never came to record anything.
    if (idle) idle.toUs = undefined
    else this.#isIdle(host, this.#add(entry, 'not recording', { fromUs, toUs: undefined, cause: STOPPED }))
  }

  /** Between two runs nothing was recorded; a run that was killed lived at least to its last entry. */
  #began(entry: JournalEntry): void {
    const { host, recvUs } = entry
    const idle = this.#idleOf(host)
    const last = this.#lastOf.get(host)
    this.#outages.runEnded(host, last?.recvUs ?? recvUs)
    const tookOverUs = numberOf(entry.detail['since_us'])
    const sinceUs = Math.min(recvUs, tookOverUs ?? recvUs)
    if (idle && sinceUs <= idle.fromUs) this.#remove(idle)
    else if (idle) idle.toUs = sinceUs
    else if (last && last.run !== entry.run && sinceUs > last.recvUs) {
      const cause = 'the recorder ended without a word'
      this.#isIdle(host, this.#add(entry, 'not recording', { fromUs: last.recvUs, toUs: sinceUs, cause }))
    }
    // A run that took over had recorded for a while when the one before it stopped.
    if (tookOverUs !== undefined) this.#idle.delete(host)
  }

  #isIdle(host: string, gap: Gap): void {
    this.#idle.set(host, { gap, isSubscribed: false })
  }

  /** Since when nothing is recorded; undefined where the run that came then did record. */
  #idleOf(host: string): Gap | undefined {
    const idle = this.#idle.get(host)
    if (!idle?.isSubscribed) return idle?.gap
    this.#idle.delete(host)
    return undefined
  }

  #noteSubscribed(host: string, isSubscribed: boolean): void {
    const idle = this.#idle.get(host)
    if (idle) idle.isSubscribed = isSubscribed
  }

  /** All that the first connection of a run asked for flows. */
  #recordsAgain({ host, recvUs }: JournalEntry): void {
    const gap = this.#idle.get(host)?.gap
    this.#idle.delete(host)
    if (gap?.toUs !== undefined) gap.toUs = Math.max(gap.toUs, recvUs)
  }

  #remove(gap: Gap | undefined): void {
    if (gap) this.gaps.splice(this.gaps.indexOf(gap), 1)
  }

  #mendBook(key: string, toUs: number | undefined): void {
    const gap = this.#brokenBooks.get(key)
    if (!gap) return
    this.#brokenBooks.delete(key)
    gap.healed = true
    gap.toUs = toUs ?? gap.toUs
  }

  #add({ host, recvUs, detail }: JournalEntry, kind: Gap['kind'], facts: Partial<Gap> = {}): Gap {
    const family = textOf(detail['family']) ?? (kind === 'lost' ? textOf(detail['channel']) : undefined)
    const gap: Gap = {
      kind,
      fromUs: numberOf(detail['from_us']) ?? recvUs,
      toUs: numberOf(detail['to_us']) ?? recvUs,
      host,
      conn: textOf(detail['conn']),
      also: textsOf(detail['also']),
      instrument: textOf(detail['instrument']),
      cause: textOf(detail['cause']) ?? textOf(detail['reason']) ?? kind,
      families: family === undefined ? textsOf(detail['families']) : [family],
      healed: undefined,
      ...facts,
    }
    this.gaps.push(gap)
    return gap
  }
}

/** Why a connection ended that the recorder closed on its own way out. */
export const STOPPING = 'stopping'

const STOPPED = 'the recorder was stopped'

function bookOf({ host, detail }: JournalEntry): string {
  return `${host} ${String(detail['conn'])} ${String(detail['channel'])}`
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined)
const numberOf = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)
const textsOf = (value: unknown) => (Array.isArray(value) ? value.filter(text => typeof text === 'string') : [])

/** How many gaps a family has within a span, and how long they are together; what healed is none. Pure. */
export function gapsWithin(gaps: readonly Gap[], family: string | undefined, fromUs: number, toUs: number) {
  const inside = gaps
    .filter(
      gap =>
        gap.healed !== true &&
        gap.fromUs < toUs &&
        (gap.toUs ?? toUs) >= fromUs &&
        (family === undefined || gap.families.length === 0 || gap.families.includes(family)),
    )
    .sort((a, b) => a.fromUs - b.fromUs)
  let us = 0
  let end = fromUs
  for (const gap of inside) {
    const gapEnd = Math.min(toUs, gap.toUs ?? toUs)
    us += Math.max(0, gapEnd - Math.max(end, gap.fromUs))
    end = Math.max(end, gapEnd)
  }
  return { count: inside.length, seconds: us / 1e6 }
}

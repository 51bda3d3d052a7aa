import { TradeHoles } from './trade-holes.js'

/** One entry of the journal. */
export interface JournalEntry {
  host: string
  run: string
  recvUs: number
  event: string
  detail: Readonly<Record<string, unknown>>
}

/** A span in which frames are missing or may be. */
export interface Gap {
  /** The journal's word for it; `outage` for one that lasts, `not recording` where no recorder ran. */
  kind: 'gap' | 'outage' | 'not recording' | 'lost' | 'silent' | 'trade_hole' | 'book_break'
  fromUs: number
  /** Undefined as long as it lasts. */
  toUs: number | undefined
  host: string
  conn: string | undefined
  /** Where it is about one instrument alone. */
  instrument: string | undefined
  cause: string
  /** Empty: all. */
  families: readonly string[]
  /** Whether what was missing came after all; undefined where nothing can bring it. */
  healed: boolean | undefined
}

/** Events that say something about gaps; all others need not be kept. */
export const GAP_EVENTS: ReadonlySet<string> = new Set([
  'started',
  'stopped',
  'connected',
  'disconnected',
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

class GapReader {
  readonly gaps: Gap[] = []
  /** By host and connection. */
  readonly #outages = new Map<string, Gap>()
  /** By channel. */
  readonly #brokenBooks = new Map<string, Gap>()
  readonly #tradeHoles = new TradeHoles()
  /** By host: since its recorder was stopped. */
  readonly #idle = new Map<string, Gap>()
  readonly #lastOf = new Map<string, JournalEntry>()

  read(entry: JournalEntry): void {
    const { host, recvUs, event, detail } = entry
    const key = `${host} ${slotOf(textOf(detail['conn']) ?? '')}`
    switch (event) {
      case 'started':
        this.#began(entry)
        break
      case 'stopped':
        this.#stopped(entry)
        break
      case 'disconnected':
        if (!isRenewed(detail)) this.#outages.set(key, this.#add(entry, 'outage', { fromUs: recvUs, toUs: undefined }))
        break
      case 'gap':
      case 'covered':
        this.#endOutage(key)
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
    const closed = this.#outagesOf(entry.host).flatMap(key => this.#outages.get(key) ?? [])
    const fromUs = Math.min(entry.recvUs, ...closed.filter(({ cause }) => cause === STOPPING).map(gap => gap.fromUs))
    this.#endOutages(entry.host)
    const facts = { fromUs, toUs: undefined, cause: 'the recorder was stopped' }
    this.#idle.set(entry.host, this.#add(entry, 'not recording', facts))
  }

  /** Between two runs nothing was recorded; a run that was killed lived at least to its last entry. */
  #began(entry: JournalEntry): void {
    const { host, recvUs } = entry
    const idle = this.#idle.get(host)
    this.#idle.delete(host)
    const last = this.#lastOf.get(host)
    for (const key of this.#outagesOf(host)) this.#abandonOutage(key, last?.recvUs ?? recvUs)
    // A run that took over had recorded for a while when the one before it stopped.
    const sinceUs = Math.min(recvUs, numberOf(entry.detail['since_us']) ?? recvUs)
    if (idle && sinceUs <= idle.fromUs) this.gaps.splice(this.gaps.indexOf(idle), 1)
    else if (idle) idle.toUs = sinceUs
    else if (last && last.run !== entry.run && sinceUs > last.recvUs)
      this.#add(entry, 'not recording', {
        fromUs: last.recvUs,
        toUs: sinceUs,
        cause: 'the recorder ended without a word',
      })
  }

  #endOutages(host: string): void {
    for (const key of this.#outagesOf(host)) this.#endOutage(key)
  }

  #outagesOf(host: string): string[] {
    return [...this.#outages.keys()].filter(key => key.startsWith(`${host} `))
  }

  /** The run was killed while it lasted: no entry tells of the gap, and it goes on as one between two runs. */
  #abandonOutage(key: string, toUs: number): void {
    const outage = this.#outages.get(key)
    this.#outages.delete(key)
    if (outage) outage.toUs = Math.max(outage.fromUs, toUs)
  }

  /** The gap that an outage became is told by an entry of its own. */
  #endOutage(key: string): void {
    const outage = this.#outages.get(key)
    if (!outage) return
    this.#outages.delete(key)
    this.gaps.splice(this.gaps.indexOf(outage), 1)
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

/** The connection that goes on under two names in turns, `d1` and `d1b`. */
export const slotOf = (conn: string) => conn.replace(/b$/, '')

/** Why a connection ended that the recorder closed on its own way out. */
export const STOPPING = 'stopping'

/** The connection ended because another one had taken its place. */
const isRenewed = (detail: JournalEntry['detail']) => textOf(detail['cause'])?.startsWith('renewed') === true

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

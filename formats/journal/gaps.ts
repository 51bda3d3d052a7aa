import { parseSegmentPath, withState } from '../raw-path.js'
import { segmentEndMs } from '../segment-span.js'
import { NOTHING_LATER, STOPPING } from './causes.js'
import { stillCovered } from './covered.js'
import { byExchange, type EntryOf, type JournalEntry } from './entry.js'
import { BrokenBooks } from './broken-books.js'
import { isGap, type Gap, type JournalSpan } from './gap.js'
import { Outages } from './outages.js'
import { TradeHoles } from './trade-holes.js'

/** What is missing, by what the journal says in the order of its time. Pure. */
export function gapsOf(entries: readonly JournalEntry[]): Gap[] {
  return spansOf(entries).filter(isGap)
}

/**
 * What the journal comes to, in the order of its time: the one reading of which events open a span, close it, heal it, or
 * take the place of another. Pure.
 */
export function spansOf(entries: readonly JournalEntry[]): JournalSpan[] {
  return byExchange(entries).flatMap(own => {
    const reader = new SpanReader()
    for (const entry of own) reader.read(entry)
    return stillCovered(reader.spans)
  })
}

interface Idle {
  gap: JournalSpan
  /** Something was subscribed since; a journal of 0.1.0 does not say when all was. */
  isSubscribed: boolean
}

class SpanReader {
  readonly spans: JournalSpan[] = []
  readonly #outages = new Outages()
  readonly #brokenBooks = new BrokenBooks()
  readonly #tradeHoles = new TradeHoles()
  /** By host: its recorder ended, and the next one has not come to record yet. */
  readonly #idle = new Map<string, Idle>()
  /** By host: reading from its sockets is paused. */
  readonly #pauses = new Map<string, JournalSpan>()
  /** By host: since when its disk takes nothing, and all is in memory. */
  readonly #unwritten = new Map<string, number>()
  readonly #lastOf = new Map<string, JournalEntry>()

  read(entry: JournalEntry): void {
    this.#take(entry)
    this.#lastOf.set(entry.host, entry)
  }

  #take(entry: JournalEntry): void {
    const { host, recvUs } = entry
    switch (entry.event) {
      case 'started':
        this.#brokenBooks.cut(host, undefined)
        this.#resumed(entry)
        this.#began(entry)
        break
      case 'stopped':
        this.#unwritten.delete(host)
        this.#resumed(entry)
        this.#ended(entry, 'the recorder was stopped')
        break
      case 'ceased':
        this.#lostWithMemory(entry, recvUs)
        this.#resumed(entry)
        this.#ended(entry, NOTHING_LATER)
        break
      case 'disconnected': {
        const { conn, cause, reason, before_live } = entry.detail
        const why = { cause: cause ?? reason ?? 'outage' }
        this.#outages.ended(entry, () => this.#add(entry, 'outage', { ...why, conn, toUs: undefined }))
        if (before_live === true) this.#noteSubscribed(entry, false)
        this.#brokenBooks.cut(host, conn)
        break
      }
      case 'subscribed':
        this.#outages.subscribed(entry)
        this.#noteSubscribed(entry, true)
        this.#brokenBooks.anew(entry)
        break
      case 'live':
        this.#outages.live(entry)
        this.#brokenBooks.anew(entry)
        this.#recordsAgain(entry)
        break
      case 'gap': {
        const { conn, cause = 'gap', families = [], also = [] } = entry.detail
        this.#replaceOutage(entry)
        this.#add(entry, 'gap', { ...boundsOf(entry), conn, cause, families, also })
        break
      }
      case 'covered': {
        const { conn, families = [] } = entry.detail
        this.#replaceOutage(entry)
        this.#add(entry, 'covered', { ...boundsOf(entry), conn, cause: coverOf(entry), families, healed: true })
        break
      }
      case 'lost': {
        const { channel, cause = 'lost' } = entry.detail
        this.#add(entry, 'lost', { ...boundsOf(entry), cause, families: channel === undefined ? [] : [channel] })
        break
      }
      case 'silent': {
        const { conn, family, cause = 'silent', also = [], channels } = entry.detail
        const families = family === undefined ? [] : [family]
        for (const channel of channels ?? [undefined])
          this.#add(entry, 'silent', { ...boundsOf(entry), conn, channel, cause, families, also })
        break
      }
      case 'trade_hole':
        this.#tradeHoles.found(entry, this.#addTradeHole(entry))
        break
      case 'unlisted': {
        const { instrument, cause = 'unlisted' } = entry.detail
        this.#add(entry, 'gap', { ...boundsOf(entry), instrument, cause })
        break
      }
      case 'book_break': {
        const { conn, channel, instrument, family = BOOKS } = entry.detail
        const about = { conn, channel, instrument, families: [family], healed: false }
        const { fromUs } = boundsOf(entry)
        this.#brokenBooks.found(entry, () => this.#add(entry, 'book_break', { fromUs, toUs: undefined, ...about }))
        break
      }
      case 'backfill':
        if (entry.detail.outcome === 'filled') for (const gap of this.#tradeHoles.filled(entry)) gap.healed = true
        // Trades that were not even looked for.
        else if (entry.detail.instrument === undefined) this.#addTradeHole(entry)
        else this.#tradeHoles.answered(entry)
        break
      case 'resync':
        this.#brokenBooks.mended(entry)
        break
      case 'not_whole': {
        const { conn, family, frames = 0, channels } = entry.detail
        const cause = frames === 1 ? 'a frame was not whole' : `${frames} frames were not whole`
        const families = family === undefined ? [] : [family]
        for (const channel of channels ?? [undefined])
          this.#add(entry, 'not_whole', { ...boundsOf(entry), conn, channel, cause, families })
        break
      }
      case 'stood_still': {
        const { fromUs, toUs } = boundsOf(entry)
        const cause = `the recorder stood still for ${Math.round((toUs - fromUs) / 1e5) / 10} s`
        this.#add(entry, 'standstill', { fromUs, toUs, cause })
        break
      }
      case 'disk_error':
        if (!this.#unwritten.has(host)) this.#unwritten.set(host, recvUs)
        break
      case 'disk_again':
      case 'room_again':
        this.#unwritten.delete(host)
        break
      case 'paused':
        if (!this.#pauses.has(host))
          this.#pauses.set(host, this.#add(entry, 'paused', { cause: PAUSED, toUs: undefined, healed: true }))
        break
      case 'resumed':
        this.#resumed(entry)
        break
      case 'clock_step': {
        const { step_us: stepUs = 0 } = entry.detail
        const cause = `the clock was set ${stepUs < 0 ? 'back' : 'forward'} by ${Math.abs(stepUs) / 1e6} s`
        // Forward: no stamp lies in the span. Back: stamps in it come twice.
        const bounds = { fromUs: recvUs - Math.max(0, stepUs), toUs: recvUs + Math.max(0, -stepUs) }
        this.#add(entry, 'clock_step', { ...bounds, cause })
        break
      }
      case 'segment_unreadable':
        this.#addUnreadable(entry)
        break
      default:
      // Who carries what, and what is written for people, opens no span and closes none.
    }
  }

  /** A run ended: what closed its connections first was not recording from then on. */
  #ended(entry: JournalEntry, cause: string): void {
    const { host, recvUs } = entry
    const closing = this.#outages.runEnded(host, recvUs).filter(({ cause }) => cause === STOPPING)
    for (const outage of closing) this.#remove(outage)
    const fromUs = Math.min(recvUs, ...closing.map(gap => gap.fromUs))
    const idle = this.#idleOf(host)
    // A run that never came to record anything.
    if (idle) idle.toUs = undefined
    else this.#isIdle(host, this.#add(entry, 'not recording', { fromUs, toUs: undefined, cause }))
  }

  /** Between two runs nothing was recorded; a run that was killed lived at least to its last entry. */
  #began(entry: EntryOf<'started'>): void {
    const { host, recvUs } = entry
    const idle = this.#idleOf(host)
    const last = this.#lastOf.get(host)
    this.#outages.runEnded(host, last?.recvUs ?? recvUs)
    if (last && last.run !== entry.run) this.#lostWithMemory(entry, last.recvUs)
    const tookOverUs = entry.detail.since_us
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

  /** A run that was killed while its disk took nothing: what waited in memory is gone, whatever had come. */
  #lostWithMemory(entry: JournalEntry, toUs: number): void {
    const fromUs = this.#unwritten.get(entry.host)
    this.#unwritten.delete(entry.host)
    if (fromUs !== undefined && fromUs < toUs) this.#add(entry, 'gap', { fromUs, toUs, cause: UNWRITTEN })
  }

  #isIdle(host: string, gap: JournalSpan): void {
    this.#idle.set(host, { gap, isSubscribed: false })
  }

  /** Since when nothing is recorded; undefined where the run that came then did record. */
  #idleOf(host: string): JournalSpan | undefined {
    const idle = this.#idle.get(host)
    if (!idle?.isSubscribed) return idle?.gap
    this.#idle.delete(host)
    return undefined
  }

  #noteSubscribed({ host, recvUs }: JournalEntry, isSubscribed: boolean): void {
    const idle = this.#idle.get(host)
    if (!idle) return
    idle.isSubscribed = isSubscribed
    // A run whose begin stands in a segment that is lost.
    if (isSubscribed) idle.gap.toUs ??= recvUs
  }

  /** All that the first connection of a run asked for flows. */
  #recordsAgain({ host, recvUs }: JournalEntry): void {
    const gap = this.#idle.get(host)?.gap
    this.#idle.delete(host)
    if (gap) gap.toUs = Math.max(gap.toUs ?? recvUs, recvUs)
  }

  #replaceOutage(entry: EntryOf<'gap' | 'covered'>): void {
    const { from_us: fromUs = -Infinity, to_us: toUs = Infinity } = entry.detail
    // What several connections were to bring, and did not, is one entry for all of them.
    const also = entry.event === 'gap' ? (entry.detail.also ?? []) : []
    for (const conn of [entry.detail.conn ?? '', ...also])
      this.#remove(this.#outages.resolve(entry.host, conn, fromUs, toUs))
  }

  #remove(gap: JournalSpan | undefined): void {
    if (gap) this.spans.splice(this.spans.indexOf(gap), 1)
  }

  #resumed({ host, recvUs }: JournalEntry): void {
    const pause = this.#pauses.get(host)
    if (pause) pause.toUs = recvUs
    this.#pauses.delete(host)
  }

  #addTradeHole(entry: EntryOf<'trade_hole' | 'backfill'>): JournalSpan {
    const { instrument, family = TRADES } = entry.detail
    const cause = entry.event === 'trade_hole' ? entry.detail.cause : undefined
    const channel = entry.event === 'trade_hole' ? entry.detail.channel : undefined
    // Without numbers it is written after the exchange was asked.
    const pending = entry.event === 'trade_hole' && entry.detail.from_seq !== undefined && { pending: true as const }
    const about = {
      instrument,
      channel,
      ...(cause !== undefined && { cause }),
      families: [family],
      healed: false,
      ...pending,
    }
    return this.#add(entry, 'trade_hole', { ...boundsOf(entry), ...about })
  }

  /** Counts for all the time that the segment may have had; it may be another recorder's than the one that reports it. */
  #addUnreadable(entry: EntryOf<'segment_unreadable'>): void {
    const name = parseSegmentPath(withState(entry.detail.path ?? '', 'sealed'))?.name
    if (!name) return
    this.#add(entry, 'unreadable', {
      fromUs: name.startedMs * 1000,
      toUs: Math.min(entry.recvUs, segmentEndMs(name) * 1000),
      host: name.host,
      cause: 'a segment held nothing that can be read',
      families: [name.channel],
    })
  }

  #add({ exchange, host, recvUs }: JournalEntry, kind: JournalSpan['kind'], facts: Partial<JournalSpan>): JournalSpan {
    const nowhere = { conn: undefined, also: [], instrument: undefined, channel: undefined, families: [] }
    const span = {
      kind,
      fromUs: recvUs,
      toUs: recvUs,
      exchange,
      host,
      ...nowhere,
      cause: kind,
      healed: undefined,
      ...facts,
    }
    this.spans.push(span)
    return span
  }
}

/** The families that these events are about where they name none. */
const TRADES = 'trades'
const BOOKS = 'book'
const UNWRITTEN = 'the disk took nothing, and the recorder ended without a word'
/** Frames waited in the kernel and came late; what the exchange gave up on has a gap of its own. */
const PAUSED = 'the disk was too slow, and reading stopped meanwhile'

function boundsOf({ recvUs, detail }: EntryOf<Spanned>) {
  return { fromUs: detail.from_us ?? recvUs, toUs: detail.to_us ?? recvUs }
}
type Spanned =
  | 'gap'
  | 'covered'
  | 'lost'
  | 'silent'
  | 'trade_hole'
  | 'book_break'
  | 'backfill'
  | 'unlisted'
  | 'not_whole'
  | 'stood_still'

function coverOf({ detail }: EntryOf<'covered'>): string {
  const { cause = 'connection lost', by = 'another connection', watched = [] } = detail
  const proof = watched.length === 0 ? '' : ` (without a frame to prove it: ${watched.join(', ')})`
  return `${cause}; ${by} carried the same${proof}`
}

import { familyOf } from '../../exchanges/exchange.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import type { JournalSpan } from '../../formats/journal/gap.js'
import { spansOf } from '../../formats/journal/gaps.js'
import { slotOf } from '../../formats/journal/outages.js'
import { lastEntries } from '../../formats/journal/runs.js'
import { subscriptionsOf, type Subscription } from '../../formats/journal/subscriptions.js'
import { greatest, least } from '../../platform/extremes.js'
import { clip, overlap, unionOf, without, type Span } from '../../platform/spans.js'
import {
  LAST_SECONDS,
  isLost,
  keyOf,
  type Account,
  type Channel,
  type NotOffered,
  type StateSpan,
  type TradeCount,
} from './account.js'
import { claimed } from './claims.js'
import type { AccountFacts, Vanished } from './facts.js'
import { Grouping } from './merge.js'
import { Compared } from './proofs.js'
import { Targets, type ChannelTarget } from './targets.js'
import { mergedSpans, Timeline } from './timeline.js'
import { SpanIndex } from './span-index.js'

/** After a disconnection the exchange is asked, and asked again: until then it is open whether trades were missed. */
const ASKED_WITHIN_US = 15 * 60_000_000

/**
 * The account of one exchange: of each channel at each moment of the window exactly one state. Pure.
 * @param countedUs trades that were missing before, and until then, are in the account of an earlier window
 */
export function accountOf(facts: AccountFacts, asked: Span, countedUs = -Infinity): Account {
  const window = { fromUs: asked.fromUs, toUs: Math.max(asked.fromUs, Math.min(asked.toUs, facts.nowUs)) }
  const { entries, knownUs } = withEnds(facts)
  const spansInJournal = spansOf(entries)
  const states = new HostStates(facts, entries, spansInJournal, knownUs, window)
  const targets = new Targets(facts.exchange)
  const byChannel = new Map<string, { channel: Channel; spans: readonly StateSpan[] }>()
  const merged = new Map<string, readonly StateSpan[]>()
  const add = (channel: Channel, spans: readonly StateSpan[]) => {
    const key = keyOf(channel)
    const before = byChannel.get(key)
    if (!before) byChannel.set(key, { channel, spans })
    else if (before.spans !== spans) {
      const pair = `${states.idOf(before.spans)} ${states.idOf(spans)}`
      const both = merged.get(pair) ?? mergedSpans(before.spans, spans)
      merged.set(pair, both)
      byChannel.set(key, { channel, spans: both })
    }
  }
  for (const subscription of subscriptionsOf(entries, facts.exchange.names.expiryMsOf)) {
    if (clip(subscription.wanted, window).length === 0) continue
    const target = targets.of(subscription.channel)
    add(target.channel, states.of(subscription, target))
    for (const [name, spans] of states.exceptionsOf(subscription, target))
      add({ ...target.channel, about: name, isWhole: false }, spans)
  }
  for (const { channel, spans } of claimed(facts.exchange, facts.claims ?? [], window)) add(channel, spans)
  const grouping = new Grouping()
  for (const { channel, spans } of byChannel.values()) grouping.add(channel, spans)
  return {
    window,
    groups: grouping.groups(),
    notOffered: notOfferedOf(facts, window),
    trades: tradesOf(facts.exchange.name, entries, spansInJournal, window, countedUs),
  }
}

/** With the last signs of each run as entries; a recorder that is gone says so with its last one. */
function withEnds({ exchange: { name: exchange }, entries: read, signs, alive }: AccountFacts): {
  entries: JournalEntry[]
  knownUs: Map<string, number>
} {
  // Entries of one exchange are read as one story, wherever they come from.
  const entries = read.map(entry => (entry.exchange === exchange ? entry : { ...entry, exchange }))
  const heard = signs.map(({ host, run, atUs }): JournalEntry => ({
    exchange,
    host,
    run,
    recvUs: atUs,
    event: 'heard',
    detail: {},
  }))
  // A sign is never behind the word with which its own run ended.
  const endedUs = new Map(entries.filter(({ event }) => event === 'stopped').map(({ run, recvUs }) => [run, recvUs]))
  const own = heard.filter(({ run, recvUs }) => recvUs <= (endedUs.get(run) ?? Infinity))
  const all = [...entries, ...own].sort((a, b) => a.recvUs - b.recvUs)
  const knownUs = new Map<string, number>()
  const gone: JournalEntry[] = []
  for (const { last, isStopped } of lastEntries(all)) {
    const { exchange, host, run, recvUs } = last
    if (alive.has(host) && !isStopped) knownUs.set(host, recvUs)
    else if (!isStopped) gone.push({ exchange, host, run, recvUs, event: 'ceased', detail: {} })
  }
  return { entries: [...all, ...gone].sort((a, b) => a.recvUs - b.recvUs), knownUs }
}

/** What single recorders have to say of their channels. Channels that share their facts share their spans. */
class HostStates {
  readonly #facts: AccountFacts
  readonly #index: SpanIndex
  readonly #compared: Compared
  readonly #knownUs: ReadonlyMap<string, number>
  readonly #window: Span
  readonly #known = new Map<string, readonly StateSpan[]>()
  readonly #ids = new Map<readonly StateSpan[], number>()

  constructor(
    facts: AccountFacts,
    entries: readonly JournalEntry[],
    spansInJournal: readonly JournalSpan[],
    knownUs: ReadonlyMap<string, number>,
    window: Span,
  ) {
    this.#facts = facts
    this.#index = new SpanIndex(spansInJournal)
    this.#compared = new Compared(entries, facts.exchange.names)
    this.#knownUs = knownUs
    this.#window = window
  }

  idOf(spans: readonly StateSpan[]): number {
    const id = this.#ids.get(spans) ?? this.#ids.size
    this.#ids.set(spans, id)
    return id
  }

  of(subscription: Subscription, target: ChannelTarget): readonly StateSpan[] {
    const own = this.#index.of(subscription, target)
    return this.#remembered(subscription, target, own, this.#vanishedOf(subscription.host, target))
  }

  /** Of a channel of a whole kind: the instruments of which something else is known than of all of them. */
  *exceptionsOf(subscription: Subscription, target: ChannelTarget): Generator<[string, readonly StateSpan[]]> {
    const { subject } = target
    if (!target.channel.isWhole || !subject) return
    const { isAbout } = this.#facts.exchange.names
    for (const [name, own] of this.#index.instrumentsOf(subscription.host, target.family)) {
      if (!isAbout(subject, name)) continue
      const all = [...this.#index.of(subscription, target), ...own]
      yield [name, this.#remembered(subscription, target, all, this.#vanishedOf(subscription.host, target))]
    }
  }

  /** Files that may have held frames of a channel: those that lie where its own are stored. */
  #vanishedOf(host: string, { family, stored }: ChannelTarget): Vanished[] {
    return this.#facts.vanished.filter(
      file =>
        file.host === host &&
        file.family === family &&
        (file.kind === undefined || file.kind === stored?.kind) &&
        (file.currency === undefined || file.currency === stored?.currency),
    )
  }

  #remembered(
    subscription: Subscription,
    target: ChannelTarget,
    inJournal: readonly JournalSpan[],
    vanished: readonly Vanished[],
  ): readonly StateSpan[] {
    const { host, spans, wanted, rejected } = subscription
    const compared = target.isListed ? this.#compared.of(target) : []
    const textOf = (list: readonly (Span & { conn?: string })[]) =>
      list.map(({ fromUs, toUs, conn = '' }) => `${fromUs}-${toUs}${conn}`).join()
    const key = [
      ...[host, target.grade, target.isNumbered, this.#isSteady(target.family) ? target.family : ''],
      ...[spans, wanted, rejected, compared].map(textOf),
      ...vanished.map(({ fromUs, toUs, cause }) => `${fromUs}-${toUs} ${cause}`),
      inJournal.map(span => this.#index.idOf(span)).join(),
    ].join('|')
    const known = this.#known.get(key) ?? this.#spansOf(subscription, target, inJournal, vanished, compared)
    this.#known.set(key, known)
    return known
  }

  #spansOf(
    { host, spans, wanted, rejected }: Subscription,
    { family, grade, isNumbered }: ChannelTarget,
    inJournal: readonly JournalSpan[],
    vanished: readonly Vanished[],
    compared: readonly Span[],
  ): readonly StateSpan[] {
    // Over all of time, so that the answer to an hour is that of its day.
    const line = new Timeline(ALWAYS, { state: 'not recording', grade: 'claimed' })
    const subscribed = unionOf(spans)
    line.paint(wanted, { state: 'missing', grade: 'watched', cause: NOT_SUBSCRIBED })
    line.paint(subscribed, { state: 'recorded', grade })
    line.paint(without(rejected, subscribed), {
      state: 'missing',
      grade: 'watched',
      cause: 'the exchange refused the subscription',
    })
    const pauses = inJournal.filter(({ kind }) => kind === 'not recording')
    for (const one of pauses)
      line.paint([boundsOf(one)], { state: 'not recording', grade: 'watched', cause: one.cause }, isNotSubscribed)
    for (const span of this.#silentEnds(host, family, inJournal))
      line.paint([span], { state: 'not recording', grade: 'watched', cause: KILLED_SILENT }, isRecorded)
    for (const one of inJournal.filter(({ kind }) => WHOLE.has(kind)))
      line.paint(
        without([boundsOf(one)], this.#coverOf(one, spans, host, family)),
        { state: 'missing', grade: 'watched', cause: one.cause },
        span => isRecorded(span) || isNotSubscribed(span),
      )
    // Connections are made one after the other: what the last of them carries is back a little later than the recorder.
    for (const { toUs, cause } of pauses)
      line.paint(
        line.spans.filter(
          span => isNotSubscribed(span) && span.fromUs === toUs && span.toUs - toUs <= STARTS_WITHIN_US,
        ),
        { state: 'not recording', grade: 'watched', cause },
      )
    for (const { span, cause } of brokenOf(spans, inJournal))
      line.paint([span], { state: 'missing', grade: 'exact', cause }, isRecorded)
    const knownUs = this.#knownUs.get(host)
    const toEnd = { fromUs: knownUs ?? Infinity, toUs: Infinity }
    if (isNumbered) this.#paintTrades(line, inJournal, compared, knownUs)
    else {
      for (const hole of inJournal.filter(({ kind }) => kind === 'trade_hole'))
        line.paint([boundsOf(hole)], { state: 'missing', grade, cause: hole.cause }, isRecorded)
      line.paint(compared, { state: 'healed', grade, proof: ASKED }, isLost)
    }
    // What came and was not kept is gone, whatever numbers were seen.
    for (const one of inJournal.filter(({ kind }) => kind === 'lost' || kind === 'unreadable'))
      line.paint([boundsOf(one)], { state: 'missing', grade: 'exact', cause: one.cause }, isHere)
    for (const { cause, isPending = false, ...file } of vanished)
      line.paint(
        [file],
        isPending ? { state: 'not yet known', grade: 'claimed', cause } : { state: 'missing', grade: 'exact', cause },
        isHere,
      )
    for (const { fromUs, toUs = fromUs, cause } of inJournal.filter(({ kind }) => kind === 'standstill'))
      line.paint(
        [{ fromUs, toUs: toUs + DRAINED_US }],
        { state: 'recorded', grade, cause: `${cause}: stamped late` },
        isRecorded,
      )
    line.paint([toEnd], { state: 'not yet known', grade: 'claimed', cause: LAST_SECONDS }, isHere)
    return line.within(this.#window)
  }

  /**
   * Of an outage that a recorder did not live to judge: when another connection carried the same, as far as lines of the
   * family in its files prove it; of what comes now and then, lines of any that never rests.
   */
  #coverOf({ kind, conn, ...outage }: JournalSpan, spans: Subscription['spans'], host: string, family: string): Span[] {
    if (kind !== 'outage' || conn === undefined) return []
    const { fromUs, toUs } = boundsOf({ kind, conn, ...outage })
    const others = spans.filter(span => slotOf(span.conn) !== slotOf(conn))
    if (others.length === 0) return []
    const isProof = (sign: string | undefined) =>
      sign !== undefined && (this.#isSteady(family) ? sign === family : this.#isSteady(sign))
    // Until the connection that was out brings it again, whatever came of it came on another.
    const again = spans.filter(span => slotOf(span.conn) === slotOf(conn) && span.fromUs > fromUs)
    const untilUs = Math.max(toUs + SILENT_US, least(again.map(span => span.fromUs)))
    const signs = this.#facts.signs.filter(
      sign => sign.host === host && isProof(sign.family) && sign.atUs > fromUs && sign.atUs <= untilUs,
    )
    const provenUs = Math.max(fromUs, ...signs.map(({ atUs }) => atUs))
    return clip(others, { fromUs, toUs: toUs - provenUs < SILENT_US ? toUs : provenUs })
  }

  #isSteady(family: string): boolean {
    return familyOf(this.#facts.exchange, family).steady === true
  }

  /**
   * Before a run ended without a word: the time from the last line of a family that never rests to the last of any; of one
   * that may rest, from the last line of any data.
   */
  #silentEnds(host: string, family: string, inJournal: readonly JournalSpan[]): Span[] {
    const { exchange, signs: all } = this.#facts
    const isSteady = this.#isSteady(family)
    const isData = (name?: string) => name !== undefined && familyOf(exchange, name).comes === 'streamed'
    const signs = all.filter(sign => sign.host === host && (isSteady ? sign.family === family : isData(sign.family)))
    if (!signs.some(sign => this.#isSteady(sign.family ?? ''))) return []
    return inJournal.flatMap(({ kind, cause, fromUs }) => {
      if (kind !== 'not recording' || cause === STOPPED) return []
      const lastUs = greatest(signs.flatMap(({ atUs }) => (atUs <= fromUs ? atUs : [])))
      return fromUs - lastUs > SILENT_US && fromUs - lastUs < STEADY_US ? [{ fromUs: lastUs, toUs: fromUs }] : []
    })
  }

  /** Trades have numbers, and the exchange lists them: what was missed live may be there all the same. */
  #paintTrades(
    line: Timeline,
    inJournal: readonly JournalSpan[],
    compared: readonly Span[],
    knownUs: number | undefined,
  ): void {
    const lost = line.spans.filter(isLost)
    line.paint(compared, { state: 'healed', grade: 'exact', proof: ASKED }, isLost)
    const open = knownUs === undefined ? [] : [{ fromUs: knownUs - ASKED_WITHIN_US, toUs: Infinity }]
    line.paint(open, { state: 'not yet known', grade: 'claimed', cause: 'the exchange is still to be asked' }, isLost)
    for (const hole of inJournal.filter(({ kind }) => kind === 'trade_hole')) {
      const bounds = boundsOf(hole)
      // What lies in a known loss is missing there, not in the quiet time around it.
      const inside = overlap([bounds], lost)
      const where = inside.length > 0 ? inside : [bounds]
      if (hole.healed === true)
        line.paint(where, { state: 'healed', grade: 'exact', proof: 'fetched' }, span => isRecorded(span))
      else if (hole.pending && knownUs !== undefined)
        line.paint(
          where,
          { state: 'not yet known', grade: 'exact', cause: 'trades are missing, and asked for' },
          isHere,
        )
      else {
        const cause =
          hole.count === undefined
            ? hole.cause
            : `${hole.count} ${hole.count === 1 ? 'trade' : 'trades'} missing by number`
        line.paint(where, { state: 'missing', grade: 'exact', cause }, isHere)
      }
    }
  }
}

const ASKED = 'the exchange was asked for all of it'
const NOT_SUBSCRIBED = 'wanted, and not subscribed'
/** From the first connection of a run to the last: a few are made in a second. */
const STARTS_WITHIN_US = 60_000_000
/** As the journal reports an orderly end. */
const STOPPED = 'the recorder was stopped'
const KILLED_SILENT = 'the recorder ended without a word, and nothing had come for a while'
/** Less than this is no silence; anything longer is reported by whoever watches for silence. */
const SILENT_US = 1_000_000
const STEADY_US = 120_000_000

/** What waited through a standstill is read within this. */
const DRAINED_US = 1_000_000

const ALWAYS: Span = { fromUs: -Infinity, toUs: Infinity }

const isHere = ({ state }: StateSpan) => state === 'recorded' || state === 'healed' || state === 'not yet known'
const isRecorded = ({ state }: StateSpan) => state === 'recorded'
const isNotSubscribed = ({ state, cause }: StateSpan) => state === 'missing' && cause === NOT_SUBSCRIBED

/** A single frame has a moment, and no length: it is missing all the same. */
const boundsOf = ({ fromUs, toUs = Infinity }: JournalSpan): Span => ({ fromUs, toUs: Math.max(toUs, fromUs + 1) })

/** In these nothing came, of whatever they are about. */
const WHOLE: ReadonlySet<JournalSpan['kind']> = new Set(['gap', 'outage', 'silent'])

/** What no connection had whole: books between a missing change and the next snapshot, and frames that came in pieces. */
function brokenOf(spans: Subscription['spans'], inJournal: readonly JournalSpan[]): { span: Span; cause: string }[] {
  const broken = inJournal.filter(({ kind }) => kind === 'book_break' || kind === 'not_whole')
  if (broken.length === 0) return []
  const whole = unionOf(
    spans.flatMap(span =>
      without(
        [span],
        broken.filter(({ conn }) => conn === undefined || slotOf(conn) === slotOf(span.conn)).map(boundsOf),
      ),
    ),
  )
  return broken.flatMap(one => {
    const cause = one.kind === 'book_break' ? 'a change of the book was missing, until the next snapshot' : one.cause
    return without([boundsOf(one)], whole).map(span => ({ span, cause }))
  })
}

function notOfferedOf({ exchange, entries }: AccountFacts, { fromUs, toUs }: Span): NotOffered[] {
  const names = new Map<string, NotOffered>()
  for (const { event, recvUs, detail } of entries) {
    if (event !== 'not_offered' || recvUs < fromUs || recvUs >= toUs) continue
    for (const name of [...(detail.channels ?? []), ...(detail.instruments ?? [])])
      names.set(name, { exchange: exchange.name, name, reason: detail.reason ?? 'not offered' })
  }
  return [...names.values()]
}

/** Trades by their numbers: how many each run had counted at its last comparison in the window, and at the last before. */
function tradesOf(
  exchange: string,
  entries: readonly JournalEntry[],
  inJournal: readonly JournalSpan[],
  { fromUs, toUs }: Span,
  countedUs: number,
): TradeCount[] {
  const runs = new Map<string, { before: number; last: number }>()
  for (const { event, run, recvUs, detail } of entries) {
    if (event !== 'compared' || recvUs >= toUs || detail.trades === undefined) continue
    const counted = runs.get(run) ?? { before: 0, last: 0 }
    runs.set(run, { ...counted, [recvUs < fromUs ? 'before' : 'last']: detail.trades })
  }
  const recorded = [...runs.values()].reduce((sum, { before, last }) => sum + Math.max(0, last - before), 0)
  const holes = inJournal.filter(
    one =>
      one.kind === 'trade_hole' &&
      one.healed !== true &&
      !one.pending &&
      one.fromUs < toUs &&
      one.fromUs >= countedUs &&
      (one.toUs ?? Infinity) > fromUs,
  )
  const missing = holes.reduce((sum, { count = 0 }) => sum + count, 0)
  return recorded + missing === 0 ? [] : [{ exchange, recorded, missing }]
}

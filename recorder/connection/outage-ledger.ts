import { clip, overlap, unionOf, without, type Span } from '../../platform/spans.js'
import type { FrameRouter } from '../frame-router.js'
import { Flows } from './family-flow.js'
import { OutageAccount, type AccountOptions, type Down } from './outage-account.js'
import { Rhythm } from './rhythm.js'

/** Where no frame of a family proves that the other connection carried it, one may still come that proves the contrary. */
const SETTLE_US = 8_000_000
/** The other connection must have brought anything at all by then. */
const PROOF_WITHIN_US = 60_000_000
/** Spans of a family that were journalled as missing, beyond which the oldest are forgotten. */
const MISSING_MAX = 500

/** What a span without frames on one connection came to, for one family. */
interface Part extends Span {
  event: 'gap' | 'silent' | 'covered'
  conn: string
  cause: string
  family: string
  /** Of what is missing: the others that were to bring the same, and did not. */
  also: readonly string[]
  /** Of what is covered: by whom, and whether frames of the family prove it. */
  by?: string
  isWatched?: boolean
}

/**
 * Writes down in which spans frames are missing, family by family. Where two connections carry the same channels, only the
 * time in which neither brought a family is a gap; the rest is `covered`. A connection covers what its frames of that
 * family prove: what it did not bring while the other one did, or for longer than the family ever rests, it did not have.
 * What is found out later is journalled later: a gap, in a span that was covered before.
 */
export class OutageLedger {
  readonly #router: Pick<FrameRouter, 'journal' | 'gap'>
  readonly #familyOf: (channel: string) => string
  readonly #accounts: OutageAccount[] = []
  /** By group and family. */
  readonly #rhythms = new Map<string, { group: number; family: string; rhythm: Rhythm }>()
  readonly #missing = new Map<string, Span[]>()

  constructor(router: Pick<FrameRouter, 'journal' | 'gap'>, familyOf: (channel: string) => string) {
    this.#router = router
    this.#familyOf = familyOf
  }

  open(options: AccountOptions): OutageAccount {
    const flows = new Flows(family => this.#rhythmOf(options.group, family))
    const account = new OutageAccount(options, flows, this.#familyOf)
    this.#accounts.push(account)
    return account
  }

  /** The other connections that carry the same. */
  partnersOf(account: OutageAccount): OutageAccount[] {
    return this.#accounts.filter(other => other !== account && other.options.group === account.options.group)
  }

  /** Looks how densely frames came while nothing was known to be missing; to be called about once a second. */
  learn(): void {
    for (const { rhythm, group, family } of this.#rhythms.values()) {
      const accounts = this.#accounts.filter(({ options }) => options.group === group)
      rhythm.learn(pause => accounts.every(account => clip([...account.downsOf(family)], pause).length === 0))
    }
  }

  /** Settles what can be settled; to be called about once a second. */
  settle(nowUs: number): void {
    this.#write(this.#accounts.flatMap(account => this.#settled(account, nowUs)))
  }

  /** Settles what a connection without a partner missed: nothing that is still to be found out bears on it. */
  settleAlone(account: OutageAccount, nowUs: number): void {
    if (this.partnersOf(account).length === 0) this.#write(this.#settled(account, nowUs))
  }

  /** Settles everything as it is now: outages that last end here. */
  close(nowUs: number): void {
    for (const account of this.#accounts) {
      if (account.downs.at(-1)?.why !== 'unborn') account.up(nowUs)
      for (const family of account.silentFamilies) account.heardAgain(family, nowUs)
    }
    this.settle(Infinity)
  }

  /** The wall clock was set: earlier times are translated to the new one where it was set back. */
  shift(stepUs: number): void {
    for (const account of this.#accounts) {
      account.flows.shift(stepUs)
      account.shift(stepUs)
    }
    for (const { rhythm } of this.#rhythms.values()) rhythm.shift(stepUs)
  }

  #settled(account: OutageAccount, nowUs: number): Part[] {
    const partners = this.partnersOf(account)
    const isReady = (down: Down, family: string) =>
      partners.every(partner => this.#isKnown(partner, account, down, family, nowUs))
    const parts: Part[] = []
    for (const [down, byFamily] of this.#unsettled(account)) {
      if (![...byFamily.keys()].every(family => isReady(down, family))) continue
      for (const [family, channels] of byFamily)
        parts.push(...this.#partsOf(account, down, family, channels, partners, nowUs === Infinity))
      down.settled = true
      // Thousands of names, which nobody asks for any more.
      down.channels = NO_CHANNELS
    }
    return parts
  }

  /** Spans that are over and not journalled yet, with what was subscribed of each family. */
  *#unsettled({ downs, silences }: OutageAccount): Generator<[Down, ReadonlyMap<string, readonly string[]>]> {
    const isDue = ({ settled, toUs }: Down) => !settled && toUs !== Infinity
    for (const down of downs) {
      if (!isDue(down)) continue
      const byFamily = new Map<string, string[]>()
      for (const channel of down.channels) {
        const family = this.#familyOf(channel)
        const own = byFamily.get(family)
        if (own) own.push(channel)
        else byFamily.set(family, [channel])
      }
      yield [down, byFamily]
    }
    for (const [family, own] of silences) for (const down of own) if (isDue(down)) yield [down, new Map([[family, []]])]
  }

  /** Whether it is certain, as far as it ever will be, what `partner` brought of a family while the other one was down. */
  #isKnown(partner: OutageAccount, account: OutageAccount, { toUs }: Span, family: string, nowUs: number): boolean {
    if (nowUs === Infinity || !partner.isUp || partner.isSilent(family) || !partner.families.has(family)) return true
    const { lastUs } = partner.flows.of(family)
    if (lastUs >= toUs) return true
    // One that is dead already, and not yet found so, proves nothing.
    if (partner.options.heardUs() < toUs) return false
    const neverCame = lastUs === -Infinity && account.flows.of(family).lastUs === -Infinity
    if (!neverCame && nowUs < toUs + SETTLE_US) return false
    const isQuiet = partner.quietSpans.some(quiet => quiet.toUs === Infinity)
    return isQuiet || provesLife(partner, toUs) || nowUs >= toUs + PROOF_WITHIN_US
  }

  /** @param atEnd nothing more can come that proves anything */
  #partsOf(
    account: OutageAccount,
    down: Down,
    family: string,
    channels: readonly string[],
    partners: readonly OutageAccount[],
    atEnd: boolean,
  ): Part[] {
    const { conn, group } = account.options
    const facts = { conn, family }
    // Where a silence overlaps an outage that is still to be journalled, the outage accounts for it.
    const others = down.why === 'silent' ? partners.flatMap(({ downs }) => downs.filter(({ settled }) => !settled)) : []
    const own = without([down], others)
    let missing: Missing[] = own.map(span => ({
      ...span,
      event: down.why === 'silent' ? 'silent' : 'gap',
      cause: down.cause,
      also: [],
    }))
    const neverCame = [account, ...partners].every(({ flows }) => flows.of(family).lastUs === -Infinity)
    for (const partner of partners) {
      // What it was not subscribed to, all of it, it cannot have brought.
      const isSubscribed = partner.families.has(family) && channels.every(channel => partner.channels.has(channel))
      if (!isSubscribed && !partner.isSilent(family)) continue
      missing = missing.flatMap(part => {
        const found = alsoMissing(part, family, partner, neverCame)
        const doubtful = without([part], found).filter(span => !proves(partner, family, down, span, atEnd))
        const cause = `${part.cause}; ${partner.options.conn}: nothing shows that it brought it`
        const others = [...part.also, partner.options.conn]
        return [...found, ...doubtful.map(span => ({ ...part, ...span, cause, also: others }))]
      })
    }
    const key = `${group} ${family}`
    const known = this.#missing.get(key) ?? []
    const gaps = missing.flatMap(part => without([part], known).map(span => ({ ...facts, ...part, ...span })))
    if (gaps.length > 0) this.#missing.set(key, unionOf([...known, ...missing.map(spanOf)]).slice(-MISSING_MAX))
    const [partner] = partners
    if (!partner) return gaps
    const { flows, options } = partner
    const { lastUs, rhythm } = flows.of(family)
    const by = { by: options.conn, isWatched: lastUs < down.toUs && rhythm.limitUs === undefined }
    const covered = without(own, [...missing, ...known]).map(span => ({ ...facts, ...by, ...span, cause: down.cause }))
    return [...gaps, ...covered.map(part => ({ ...part, event: 'covered' as const, also: [] }))]
  }

  /** One entry for all families that have the same. */
  #write(parts: readonly Part[]): void {
    const groups = new Map<string, Part[]>()
    for (const part of [...parts].sort((a, b) => a.fromUs - b.fromUs)) {
      const { event, conn, by, cause, also, fromUs, toUs, family } = part
      if (fromUs >= toUs) continue
      const key = JSON.stringify([event, conn, by, cause, also, fromUs, toUs, event === 'silent' && family])
      groups.set(key, [...(groups.get(key) ?? []), part])
    }
    for (const group of groups.values()) this.#journal(group)
  }

  #journal(parts: readonly Part[]): void {
    const [first] = parts
    if (!first) return
    const { event, conn, by, cause, fromUs: from_us, toUs: to_us, family } = first
    const also = first.also.length === 0 ? {} : { also: [...first.also] }
    const families = parts.map(part => part.family).sort()
    switch (event) {
      case 'gap':
        this.#router.gap(families, { from_us, to_us, conn, cause, ...also })
        break
      case 'silent':
        this.#router.journal('silent', { conn, family, from_us, to_us, cause, ...also })
        break
      case 'covered': {
        const watched = parts.filter(({ isWatched }) => isWatched === true).map(part => part.family)
        const proof = watched.length === 0 ? {} : { watched: watched.sort() }
        this.#router.journal('covered', { conn, by: by ?? '', from_us, to_us, cause, families, ...proof })
      }
    }
  }

  #rhythmOf(group: number, family: string): Rhythm {
    const key = `${group} ${family}`
    const known = this.#rhythms.get(key) ?? { group, family, rhythm: new Rhythm() }
    this.#rhythms.set(key, known)
    return known.rhythm
  }
}

const NO_CHANNELS: ReadonlySet<string> = new Set()

const spanOf = ({ fromUs, toUs }: Span): Span => ({ fromUs, toUs })

/** Data came on it, of whatever family, since then: more than a heartbeat. */
const provesLife = ({ flows, families }: OutageAccount, sinceUs: number) => flows.lastUsOf(families) >= sinceUs

/** Whether it shows that `partner` brought a family over a span in which it is not known to have been down itself. */
function proves(partner: OutageAccount, family: string, down: Down, span: Span, atEnd: boolean): boolean {
  // What should have come is there only where it came.
  if (down.why === 'silent') return partner.flows.of(family).lastUs >= span.fromUs
  // One that went down then lived until then.
  const wentDown = partner.downs.some(({ fromUs }) => fromUs === span.toUs)
  return provesLife(partner, atEnd || wentDown ? span.fromUs : span.toUs)
}

type Missing = Omit<Part, 'conn' | 'family'>

/** What of a part is missing because `partner` did not bring the family either. */
function alsoMissing(part: Missing, family: string, partner: OutageAccount, neverCame: boolean): Missing[] {
  const found: Missing[] = []
  const also = [...part.also, partner.options.conn]
  const quiet = partner.quietSpans.map(span => ({ ...span, why: 'silent', cause: 'silent' }) as const)
  for (const other of [...partner.downsOf(family), ...quiet]) {
    // Of what never came on any connection an outage takes nothing away.
    const event = other.why !== 'silent' ? 'gap' : neverCame ? 'silent' : part.event
    // Why it was taken for silent may differ from family to family; the outage is one.
    const cause = `${part.cause}; ${partner.options.conn}: ${other.why === 'silent' ? 'silent' : other.cause}`
    found.push(...without(overlap([part], [other]), found).map(span => ({ ...span, event, cause, also })))
  }
  return found
}

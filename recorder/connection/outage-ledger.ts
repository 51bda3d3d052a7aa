import type { Tape } from '../tape.js'

/** A span without a connection. */
interface Down {
  fromUs: number
  /** Undefined as long as it lasts. */
  toUs: number | undefined
  cause: string
  /** What was subscribed before. */
  channels: ReadonlySet<string>
  /** Before the first connection: nothing was recorded yet that could be interrupted. */
  isFirst: boolean
  /** Its gaps and what covered it are written down. */
  settled: boolean
}

export interface AccountOptions {
  conn: string
  /** Accounts of one group carry the same channels. */
  group: number
  /** When the last frame came on what is open now, µs since the epoch. */
  heardUs: () => number
  channels: () => ReadonlySet<string>
}

/** Beyond this the oldest two spans of a connection count as one: it may claim less cover, never more. */
const DOWNS_MAX = 200

/** When one connection was up and when it was not. */
export class OutageAccount {
  readonly options: AccountOptions
  readonly downs: Down[] = [
    { fromUs: -Infinity, toUs: undefined, cause: '', channels: new Set(), isFirst: true, settled: false },
  ]

  constructor(options: AccountOptions) {
    this.options = options
  }

  get isUp(): boolean {
    return this.downs.at(-1)?.toUs !== undefined || this.downs.length === 0
  }

  /** The connection ended; frames came until `fromUs`. */
  down(fromUs: number, cause: string, channels: ReadonlySet<string>): void {
    if (!this.isUp) return
    this.downs.push({ fromUs, toUs: undefined, cause, channels: new Set(channels), isFirst: false, settled: false })
  }

  /** All channels flow again. */
  up(atUs: number): void {
    const last = this.downs.at(-1)
    if (last && last.toUs === undefined) last.toUs = Math.max(last.fromUs, atUs)
  }

  /** What is certain of this connection reaches so far: up to the last frame, or up to now where it is down. */
  get knownUs(): number {
    return this.isUp ? this.options.heardUs() : Infinity
  }

  /** What it carries, or carried before it went down. */
  get channels(): ReadonlySet<string> {
    const last = this.downs.at(-1)
    return last && last.toUs === undefined ? last.channels : this.options.channels()
  }
}

type Span = readonly [fromUs: number, toUs: number]

/**
 * Writes down in which spans frames are missing. Where two connections carry the same channels, only the time in which
 * neither was up is a gap; the rest of an outage is `covered`. An outage is settled as soon as the other connection is
 * known to have lived beyond it, so that one that is dead already, and not yet found so, covers nothing.
 */
export class OutageLedger {
  readonly #tape: Pick<Tape, 'journal' | 'gap'>
  readonly #familyOf: (channel: string) => string
  readonly #accounts: OutageAccount[] = []

  constructor(tape: Pick<Tape, 'journal' | 'gap'>, familyOf: (channel: string) => string) {
    this.#tape = tape
    this.#familyOf = familyOf
  }

  open(options: AccountOptions): OutageAccount {
    const account = new OutageAccount(options)
    this.#accounts.push(account)
    return account
  }

  /** The other connections that carry the same. */
  partnersOf(account: OutageAccount): OutageAccount[] {
    return this.#accounts.filter(other => other !== account && other.options.group === account.options.group)
  }

  /** Settles what can be settled; to be called about once a second and whenever a connection is up again. */
  settle(): void {
    for (const account of this.#accounts) this.#settle(account, false)
    for (const account of this.#accounts) this.#prune(account)
  }

  /** Settles everything as it is now: outages that last end here. */
  close(nowUs: number): void {
    for (const account of this.#accounts) {
      const last = account.downs.at(-1)
      if (last?.isFirst === false) account.up(nowUs)
    }
    for (const account of this.#accounts) this.#settle(account, true)
  }

  /** The wall clock was set back: times of before are told in the new one. */
  shift(stepUs: number): void {
    for (const down of this.#accounts.flatMap(({ downs }) => downs)) {
      down.fromUs += stepUs
      if (down.toUs !== undefined) down.toUs += stepUs
    }
  }

  #settle(account: OutageAccount, atOnce: boolean): void {
    const partners = this.partnersOf(account)
    for (const down of account.downs) {
      if (down.settled || down.toUs === undefined) continue
      const { toUs } = down
      if (down.isFirst) down.settled = true
      else if (atOnce || partners.every(partner => partner.knownUs >= toUs)) {
        this.#write(account, down, [down.fromUs, toUs], partners)
        down.settled = true
      }
    }
  }

  #write(account: OutageAccount, down: Down, span: Span, [partner]: OutageAccount[]): void {
    const shared = partner ? [...down.channels].filter(channel => partner.channels.has(channel)) : []
    const alone = partner ? [...down.channels].filter(channel => !partner.channels.has(channel)) : [...down.channels]
    this.#gap(account, span, down.cause, alone)
    if (!partner || shared.length === 0) return
    const others = partner.downs.map(other => ({ other, both: overlap(span, other) })).filter(hasOverlap)
    for (const { other, both } of others) {
      // Whichever outage is settled first tells of the time that both have in common.
      if (other.settled && !other.isFirst) continue
      const cause = other.isFirst
        ? `${down.cause}; ${partner.options.conn} was not connected yet`
        : `${down.cause}; ${partner.options.conn}: ${other.cause}`
      this.#gap(account, both, cause, shared)
    }
    for (const [from_us, to_us] of without(
      span,
      others.map(({ both }) => both),
    )) {
      const { conn } = account.options
      const families = this.#familiesOf(shared)
      this.#tape.journal('covered', { conn, by: partner.options.conn, from_us, to_us, cause: down.cause, families })
    }
  }

  #gap(account: OutageAccount, [from_us, to_us]: Span, cause: string, channels: readonly string[]): void {
    if (channels.length === 0) return
    this.#tape.gap(this.#familiesOf(channels), { from_us, to_us, conn: account.options.conn, cause })
  }

  #familiesOf(channels: readonly string[]): string[] {
    return [...new Set(channels.map(this.#familyOf))].sort()
  }

  /** Forgets what no outage to come can overlap. */
  #prune(account: OutageAccount): void {
    const partners = this.partnersOf(account)
    const neededFromUs = Math.min(
      ...partners.map(partner =>
        Math.min(
          partner.knownUs,
          ...partner.downs.filter(({ settled, isFirst }) => !settled && !isFirst).map(({ fromUs }) => fromUs),
        ),
      ),
    )
    const { downs } = account
    while (downs[0]?.settled === true && (downs[0].toUs ?? Infinity) <= neededFromUs && downs.length > 1) downs.shift()
    while (downs.length > DOWNS_MAX && downs[0]?.settled === true && downs[1]?.settled === true) {
      downs[1].fromUs = downs[0].fromUs
      downs.shift()
    }
  }
}

function overlap([fromUs, toUs]: Span, other: Down): Span {
  return [Math.max(fromUs, other.fromUs), Math.min(toUs, other.toUs ?? Infinity)]
}

const hasOverlap = ({ both: [fromUs, toUs] }: { both: Span }) => fromUs < toUs

/** The parts of a span that none of the others touch; these come in order. */
function without([fromUs, toUs]: Span, others: readonly Span[]): Span[] {
  const parts: Span[] = []
  let atUs = fromUs
  for (const [otherFromUs, otherToUs] of others) {
    if (otherFromUs > atUs) parts.push([atUs, otherFromUs])
    atUs = Math.max(atUs, otherToUs)
  }
  if (atUs < toUs) parts.push([atUs, toUs])
  return parts
}

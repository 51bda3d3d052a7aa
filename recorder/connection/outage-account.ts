import { overlap, type Span } from '../../platform/spans.js'
import type { Flows } from './family-flow.js'

/** A span in which a connection brought nothing: as a whole, or of one family. `toUs` is Infinity as long as it lasts. */
export interface Down extends Span {
  cause: string
  /** `unborn`: before the first connection, where nothing was recorded yet that could be interrupted. */
  why: 'lost' | 'silent' | 'unborn'
  /** What was subscribed before. */
  channels: ReadonlySet<string>
  /** It is written down what it came to. */
  settled: boolean
}

export interface AccountOptions {
  conn: string
  /** Accounts of one group carry the same channels. */
  group: number
  /** When the last frame of any kind came on what is open now, µs since the epoch. */
  heardUs: () => number
  channels: () => ReadonlySet<string>
}

/** Beyond this the oldest two spans count as one: it may claim less cover, never more. */
const DOWNS_MAX = 200

const NOTHING: ReadonlySet<string> = new Set()
const DIED = 'silent before it was lost'

/** When one connection brought what it was to bring, by family, and when it did not. */
export class OutageAccount {
  readonly options: AccountOptions
  readonly flows: Flows
  readonly #familyOf: (channel: string) => string
  /** In order of time. */
  readonly downs: Down[] = [
    { fromUs: -Infinity, toUs: Infinity, cause: 'not connected yet', why: 'unborn', channels: NOTHING, settled: true },
  ]
  readonly #silences = new Map<string, Down[]>()
  #families: { of: ReadonlySet<string>; size: number; families: ReadonlySet<string> } | undefined

  constructor(options: AccountOptions, flows: Flows, familyOf: (channel: string) => string) {
    this.options = options
    this.flows = flows
    this.#familyOf = familyOf
  }

  get isUp(): boolean {
    return this.downs.at(-1)?.toUs !== Infinity
  }

  /** Since when it is up; Infinity while it is not. */
  get upUs(): number {
    return this.downs.at(-1)?.toUs ?? -Infinity
  }

  /** What it carries, or carried before it went down. */
  get channels(): ReadonlySet<string> {
    const last = this.downs.at(-1)
    return last?.toUs === Infinity ? last.channels : this.options.channels()
  }

  /** Of these channels. */
  get families(): ReadonlySet<string> {
    const { channels } = this
    if (this.#families?.of !== channels || this.#families.size !== channels.size) {
      const families = new Set([...channels].map(this.#familyOf))
      this.#families = { of: channels, size: channels.size, families }
    }
    return this.#families.families
  }

  /** The connection ended; frames came until `fromUs`, and of some families perhaps not even until then. */
  down(fromUs: number, cause: string, channels: ReadonlySet<string>): void {
    if (!this.isUp) return
    const families = new Set([...channels].map(this.#familyOf))
    for (const family of families) {
      const { lastUs, rhythm } = this.flows.of(family)
      const sinceUs = Math.max(lastUs, this.upUs)
      if (rhythm.limitUs !== undefined && fromUs - sinceUs > rhythm.limitUs) this.silent(family, sinceUs, DIED)
    }
    // Where nothing came of all that comes densely, nobody knows what was missed of the rest.
    const dense = [...families].filter(family => this.flows.of(family).rhythm.isDense)
    const lastUs = Math.max(this.flows.lastUsOf(families), this.upUs)
    if (dense.length > 0 && dense.every(family => this.isSilent(family)))
      for (const family of families) this.silent(family, Math.min(lastUs, fromUs), DIED)
    // Channels that fell silent may just then be taken anew, and are not subscribed for a moment.
    const silent = this.silentFamilies.flatMap(family => [...(this.silenceOf(family)?.channels ?? [])])
    for (const family of this.silentFamilies) this.heardAgain(family, fromUs)
    const lost = new Set([...channels, ...silent])
    add(this.downs, { fromUs, toUs: Infinity, cause, why: 'lost', channels: lost, settled: false })
  }

  /** All channels flow again. */
  up(atUs: number): void {
    end(this.downs, atUs)
  }

  /** Of a family nothing came since `fromUs`, though the connection lives. */
  silent(
    family: string,
    fromUs: number,
    cause: string,
    channels: ReadonlySet<string> = this.#channelsOf(family),
  ): void {
    if (this.isSilent(family)) return
    const silences = this.#silences.get(family) ?? []
    this.#silences.set(family, silences)
    add(silences, { fromUs, toUs: Infinity, cause, why: 'silent', channels, settled: false })
  }

  #channelsOf(family: string): ReadonlySet<string> {
    return new Set([...this.channels].filter(channel => this.#familyOf(channel) === family))
  }

  /** It flows again since `atUs`. */
  heardAgain(family: string, atUs: number): void {
    end(this.#silences.get(family) ?? [], atUs)
  }

  isSilent(family: string): boolean {
    return this.silenceOf(family) !== undefined
  }

  /** The silence that lasts. */
  silenceOf(family: string): Down | undefined {
    const last = this.#silences.get(family)?.at(-1)
    return last?.toUs === Infinity ? last : undefined
  }

  get silentFamilies(): string[] {
    return [...this.#silences.keys()].filter(family => this.isSilent(family))
  }

  /** Ends the silence for what is to be written down so far, and begins it anew from there. */
  splitSilence(family: string, atUs: number): void {
    const silence = this.silenceOf(family)
    if (!silence) return
    this.heardAgain(family, atUs)
    this.silent(family, silence.toUs, silence.cause, silence.channels)
  }

  /** When it did not bring a family. */
  *downsOf(family: string): Generator<Down> {
    yield* this.downs
    yield* this.#silences.get(family) ?? []
  }

  /** Silences by family, in order of time. */
  get silences(): ReadonlyMap<string, readonly Down[]> {
    return this.#silences
  }

  /**
   * Spans in which it brought nothing of whatever comes densely. In these nothing shows that it brought anything else;
   * there are none where nothing comes densely.
   */
  get quietSpans(): Span[] {
    let quiet: Span[] | undefined
    for (const family of this.families) {
      if (!this.flows.of(family).rhythm.isDense) continue
      const silences = this.#silences.get(family) ?? []
      quiet = quiet ? overlap(quiet, silences) : silences
    }
    return quiet ?? []
  }

  /** The clock was set: earlier times are translated to the new one where it was set back; what lasts, in any case. */
  shift(stepUs: number): void {
    for (const down of [...this.downs, ...[...this.#silences.values()].flat()]) {
      if (stepUs > 0 && (down.toUs !== Infinity || down.why !== 'silent')) continue
      down.fromUs += stepUs
      down.toUs += stepUs
    }
  }
}

function end(downs: Down[], atUs: number): void {
  const last = downs.at(-1)
  if (last?.toUs === Infinity) last.toUs = Math.max(last.fromUs, atUs)
}

function add(downs: Down[], down: Down): void {
  const [first, second, ...more] = downs
  const isTooMany = more.length + 2 >= DOWNS_MAX
  if (isTooMany && first?.settled === true && second?.settled === true) {
    second.fromUs = first.fromUs
    downs.shift()
  }
  downs.push(down)
}

import { exchangeNamed } from '../../exchanges/registry.js'
import { doubtsOf, type Doubt } from '../../formats/journal/doubts.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { isGap, type Gap } from '../../formats/journal/gap.js'
import { spansOf } from '../../formats/journal/gaps.js'
import { inOrder, rawEntries } from '../../formats/journal/read.js'
import { lastSignOf, openRunsOf } from '../../formats/journal/runs.js'
import { rawLastSign } from '../book/last-sign.js'
import { concerns } from '../book/timeline.js'

const DAY_US = 86_400_000_000
/** What ends a connection, or comes to the same for who listens to it. */
const OUTAGES: readonly string[] = ['gap', 'outage', 'not recording', 'lost', 'silent'] satisfies Gap['kind'][]

/** A time of which nothing was recorded of some channels. */
export interface RecordedGap {
  fromUs: number
  toUs: number
  cause: string
}

/** What a channel's reader knows last. */
export interface LastKnown {
  channel: string
  /** When the last frame of it was received, and by which host and connection. */
  recvUs: number
  source: string
}

/** What the journal of a recording says was missed. */
export class RecordedGaps {
  readonly #entries: readonly JournalEntry[]
  readonly #familyOf: (channel: string) => string
  readonly #doubts = new Map<string, readonly Doubt[]>()

  private constructor(entries: readonly JournalEntry[], familyOf: (channel: string) => string) {
    this.#entries = entries
    this.#familyOf = familyOf
  }

  static read(path: string, exchange: string, fromUs: number, toUs: number): RecordedGaps {
    const entries = inOrder(rawEntries(path, { fromUs: fromUs - DAY_US, toUs }))
    // Of a run that was killed the files say how far it came.
    const signs = openRunsOf(entries).map(run => {
      const own = entries.filter(({ host, recvUs }) => host === run.host && recvUs >= run.fromUs && recvUs < run.toUs)
      return lastSignOf(run, Math.max(own.at(-1)?.recvUs ?? -Infinity, rawLastSign(path, run, Infinity)))
    })
    const known = [...entries, ...signs].sort((a, b) => a.recvUs - b.recvUs)
    return new RecordedGaps(known, channel => exchangeNamed(exchange).names.familyOfChannel(channel))
  }

  /** Whether there is a journal at all. */
  get hasJournal(): boolean {
    return this.#entries.length > 0
  }

  /** Whether something may have been missed between the last frame of a channel and a moment. */
  isStale({ channel, recvUs, source }: LastKnown, atUs: number): boolean {
    return this.#doubtsOf(this.#familyOf(channel)).some(
      doubt => doubt.sinceUs >= recvUs && doubt.sinceUs <= atUs && concerns(doubt, source, channel),
    )
  }

  /** The outages of a span that ended, each moment once, in the order of time. */
  outages(fromUs: number, toUs: number): RecordedGap[] {
    const outages: RecordedGap[] = []
    const gaps = spansOf(this.#entries).filter(isGap)
    for (const { kind, fromUs: from, toUs: to, cause } of gaps.sort((a, b) => a.fromUs - b.fromUs)) {
      if (!OUTAGES.includes(kind) || to === undefined || to <= fromUs || from >= toUs) continue
      const last = outages.at(-1)
      if (last && from <= last.toUs) last.toUs = Math.max(last.toUs, to)
      else outages.push({ fromUs: from, toUs: to, cause })
    }
    return outages
  }

  #doubtsOf(family: string): readonly Doubt[] {
    const doubts = this.#doubts.get(family) ?? doubtsOf(this.#entries, each => each === family)
    this.#doubts.set(family, doubts)
    return doubts
  }
}

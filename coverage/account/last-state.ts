import type { JournalEntry } from '../../formats/journal/entry.js'
import { groupBy } from '../../platform/group-by.js'
import { saysState } from './read-journal.js'

/** The journal repeats the state each hour. */
const STATE_WITHIN_US = 2 * 3_600_000_000

/**
 * What recorders said last, for later parts of a time that begin without a word of them: one that was at rest for months, or
 * never came back, was to record what it had recorded.
 */
export class LastState {
  readonly #byHost = new Map<string, readonly JournalEntry[]>()

  /** Entries of the part that follows upon the last one, with those that say what was before them. */
  before(entries: readonly JournalEntry[]): readonly JournalEntry[] {
    const own = groupBy(entries, ({ host }) => host)
    const earlier = [...this.#byHost].flatMap(([host, last]) => {
      const first = own.get(host)?.[0]
      if (first && first.event !== 'started') return []
      return last.filter(({ recvUs }) => recvUs < (first?.recvUs ?? Infinity))
    })
    for (const [host, list] of own) this.#byHost.set(host, lastOf(list))
    return earlier.length === 0 ? entries : [...earlier, ...entries].sort((a, b) => a.recvUs - b.recvUs)
  }
}

function lastOf(entries: readonly JournalEntry[]): readonly JournalEntry[] {
  const sinceUs = (entries.at(-1)?.recvUs ?? 0) - STATE_WITHIN_US
  const last = entries.filter(({ recvUs }) => recvUs >= sinceUs)
  return saysState(last) ? last : entries
}

import type { OutageAccount } from './connection/outage-account.js'

/** While a silence lasts, it is written down again after this, so that a crash leaves little unsaid. */
export const JOURNAL_AGAIN_MS = 60_000
/** What comes by so much later than something else came at the same time, µs. */
export const SKEW_US = 1_000_000

const LIKE_ALL_ELSE = 'silent, as all else on the connection'

interface Silence {
  /** Since when; what lasts is journalled in pieces. */
  sinceUs: number
  journalledMs: number
  /** Those that were silent because all was. */
  families: Set<string>
  /** All that was to come: some of it may be given up meanwhile. */
  all: ReadonlySet<string>
}

/**
 * Families that may rest, on connections that bring nothing at all though they live. Nobody knows what is missed of them
 * until anything comes again. The last trade of an instrument that is quiet from then on is shown by no later number.
 */
export class RestingFamilies {
  readonly #silences = new Map<OutageAccount, Silence>()

  isSilent(account: OutageAccount, family: string): boolean {
    return this.#silences.get(account)?.families.has(family) === true
  }

  /**
   * When anything came again where all was silent; Infinity where nothing did. To be asked before the families' pauses are
   * taken.
   */
  resumedUs(account: OutageAccount): number {
    const { families, all } = this.#silences.get(account) ?? {}
    if (!families || !all) return Infinity
    const beganUs = [...families].map(family => account.silenceOf(family)?.fromUs ?? -Infinity)
    const flows = [...all, ...account.families].map(family => account.flows.of(family))
    return Math.min(...flows.map(flow => flow.firstUsAfter(Math.max(...beganUs))))
  }

  /**
   * To be called about once a second.
   * @param neverRest families that are to come all the time
   * @returns those whose silence ended, and since when they were silent; Infinity where none did
   */
  look(
    account: OutageAccount,
    neverRest: readonly string[],
    { resumedUs, nowMs, nowUs }: { resumedUs: number; nowMs: number; nowUs: number },
  ): { ended: string[]; sinceUs: number } {
    const silence = this.#silences.get(account)
    if (silence && resumedUs < Infinity) {
      this.#silences.delete(account)
      // One that was cut meanwhile is journalled, and asked for, as an outage.
      const ended = [...silence.families].filter(family => account.isSilent(family))
      for (const family of ended) account.heardAgain(family, resumedUs)
      return { ended, sinceUs: ended.length > 0 ? silence.sinceUs : Infinity }
    }
    if (silence && nowMs - silence.journalledMs >= JOURNAL_AGAIN_MS) {
      silence.journalledMs = nowMs
      for (const family of silence.families) account.splitSilence(family, nowUs)
    }
    if (!silence && isMute(account, neverRest)) this.#begin(account, nowMs)
    return { ended: [], sinceUs: Infinity }
  }

  #begin(account: OutageAccount, nowMs: number): void {
    const { families: all, flows } = account
    const families = new Set([...all].filter(family => !account.isSilent(family)))
    const sinceUs = flows.lastUsOf(all)
    if (families.size > 0) this.#silences.set(account, { sinceUs, journalledMs: nowMs, families, all })
    for (const family of families) account.silent(family, sinceUs, LIKE_ALL_ELSE)
  }
}

/** All that never rests is silent, and nothing else came since. */
function isMute(account: OutageAccount, neverRest: readonly string[]): boolean {
  const lastUs = account.flows.lastUsOf(account.families)
  return (
    neverRest.length > 0 &&
    neverRest.every(family => account.isSilent(family)) &&
    neverRest.some(family => lastUs - account.flows.of(family).lastUs <= SKEW_US)
  )
}

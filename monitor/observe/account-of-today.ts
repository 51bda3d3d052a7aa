import { dayOfAccount, type CoverageDay } from '../../coverage/account/day.js'
import { dayOf, measureAccount } from '../../coverage/account/measure.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { withAccount } from './with-account.js'
import type { Observation } from './observation.js'
import { dateOf } from '../../platform/utc-date.js'

const ANEW_AFTER_MS = 5000

/** The account of today for the screen of `status`, measured anew now and then. */
export class AccountOfToday {
  readonly #dataDir: string
  #day: CoverageDay | undefined
  #isAtWork = false
  #measuredMs = -Infinity

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  async measure(): Promise<void> {
    this.#isAtWork = true
    const date = dateOf(Date.now())
    try {
      this.#day = dayOfAccount(date, await measureAccount(this.#dataDir, dayOf(date)), exchangeNamed, Date.now())
    } finally {
      this.#isAtWork = false
      this.#measuredMs = performance.now()
    }
  }

  /** With what is known of today; where that is old, it is measured for the next screen. */
  with(seen: Observation): Observation {
    if (!this.#isAtWork && performance.now() - this.#measuredMs > ANEW_AFTER_MS)
      this.measure().catch(() => (this.#day = undefined))
    return withAccount(seen, this.#day)
  }
}

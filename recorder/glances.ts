import { isNear } from '../platform/clock.js'
import type { Adapter } from '../exchanges/adapter.js'
import type { Glance, Shown } from '../exchanges/shown.js'
import type { FrameRouter, Sought } from './frame-router.js'

/** What is worth a look changes with the list of instruments, and with the price. */
const CHOSEN_FOR_MS = 30_000

/** The last price, spread or IV of the few things that the exchange shows, for whoever looks whether the data make sense. */
export class Glances {
  readonly #adapter: Pick<Adapter, 'shown'>
  readonly #router: Pick<FrameRouter, 'seek'>
  #chosenMs = -Infinity
  #shown: readonly { what: Shown; bytes: Buffer }[] = []
  #sought = new Map<string, Sought>()
  readonly #glances = new Map<string, Glance & { name: string; at: string }>()

  constructor(adapter: Pick<Adapter, 'shown'>, router: Pick<FrameRouter, 'seek'>) {
    this.#adapter = adapter
    this.#router = router
  }

  /** Takes what was found since the last look, and asks for the next frame of each. */
  look(nowMs = Date.now()): void {
    for (const { what } of this.#shown) {
      const { found } = this.#sought.get(what.text) ?? {}
      if (found) this.#take(what, found)
    }
    if (!isNear(this.#chosenMs, nowMs, CHOSEN_FOR_MS)) this.#choose(nowMs)
    const waiting = this.#sought
    this.#sought = new Map()
    const families = new Map<string, Sought[]>()
    for (const { what, bytes } of this.#shown) {
      const before = waiting.get(what.text)
      const sought = before && !before.found ? before : { bytes }
      this.#sought.set(what.text, sought)
      families.set(what.family, [...(families.get(what.family) ?? []), sought])
    }
    for (const [family, sought] of families) this.#router.seek(family, sought)
  }

  /** For the status. */
  all(): (Glance & { name: string; at: string })[] {
    return this.#shown.flatMap(({ what }) => this.#glances.get(what.name) ?? [])
  }

  #choose(nowMs: number): void {
    const shown = this.#adapter.shown?.(name => this.#glances.get(name)?.price, nowMs) ?? []
    this.#shown = shown.map(what => ({ what, bytes: Buffer.from(what.text) }))
    const isNew = this.#shown.length > 0
    // Until the exchange listed what there is, each look asks again.
    if (isNew) this.#chosenMs = nowMs
    for (const name of this.#glances.keys()) if (!shown.some(what => what.name === name)) this.#glances.delete(name)
  }

  #take({ name, read }: Shown, { frame, recvUs }: NonNullable<Sought['found']>): void {
    const values = Object.entries(read(frame)).filter(([, value]) => value !== undefined)
    if (values.length === 0) return
    const at = new Date(recvUs / 1000).toISOString()
    const found: Glance = Object.fromEntries(values)
    this.#glances.set(name, { ...uncrossed({ ...this.#glances.get(name) }, found), ...found, name, at })
  }
}

/** A frame may bring one side alone: where the other one of before lies behind it now, it is over. */
function uncrossed(before: Glance, found: Glance): Glance {
  const { bid, ask } = { ...before, ...found }
  return bid === undefined || ask === undefined || bid < ask ? before : { ...before, bid: undefined, ask: undefined }
}

/** An event of hftbacktest: where it stands in the order of the exchange and in that of receipt. */
export interface TimedEvent {
  exchNs: bigint
  localNs: bigint
  /** A trade comes before the change that it caused where the exchange gives both one time. */
  isTrade: boolean
  /** Its place in what was received. */
  place: number
}

export type Processor = 'both' | 'exchange' | 'local'

/** So far behind the latest an event may be by the exchange's time and still find its place, ns. */
const LATE_NS = 60_000_000_000n

/**
 * Puts events into the one order that hftbacktest wants: those for the exchange by its time, those for the receiver by
 * his; an event that was overtaken on its way stands at both places, half each. Holds what was received within a minute.
 */
export class EventOrder<E extends TimedEvent> {
  readonly #emit: (event: E, processor: Processor) => void
  /** By the exchange's time. */
  #exchange: E[] = []
  #local: E[] = []
  #latestNs = -(2n ** 62n)
  #doneNs = -(2n ** 62n)
  #isSorted = true
  /** Events that came too late for their place: they stand where the order was by then. */
  late = 0

  constructor(emit: (event: E, processor: Processor) => void) {
    this.#emit = emit
  }

  /** @param event in the order of receipt */
  take(event: E): void {
    if (event.exchNs < this.#doneNs) {
      event.exchNs = this.#doneNs
      this.late++
    }
    // A trade may have to go before what was received of the same time.
    if (event.exchNs < this.#latestNs || (event.isTrade && event.exchNs === this.#latestNs)) this.#isSorted = false
    else this.#latestNs = event.exchNs
    this.#exchange.push(event)
    this.#local.push(event)
    if (this.#exchange.length >= RELEASED_AT) this.#release(this.#latestNs - LATE_NS)
  }

  end(): void {
    this.#release(2n ** 62n)
  }

  #release(untilNs: bigint): void {
    if (!this.#isSorted) this.#exchange.sort(byExchange)
    this.#isSorted = true
    let [exchange, local] = [0, 0]
    for (;;) {
      const first = this.#exchange[exchange]
      const heard = this.#local[local]
      // Beyond, an event that is not here yet may come first.
      if (first && first.exchNs > untilNs) break
      if (!first && !heard) break
      if (first && first === heard) {
        this.#emit(first, 'both')
        exchange++
        local++
      } else if (first && (!heard || precedes(first, heard))) {
        this.#emit(first, 'exchange')
        exchange++
      } else if (heard) {
        this.#emit(heard, 'local')
        local++
      }
    }
    const last = this.#exchange[exchange - 1]
    if (last && last.exchNs > this.#doneNs) this.#doneNs = last.exchNs
    this.#exchange = this.#exchange.slice(exchange)
    this.#local = this.#local.slice(local)
  }
}

const RELEASED_AT = 65_536

const byExchange = (one: TimedEvent, other: TimedEvent) =>
  compare(one.exchNs, other.exchNs) || Number(other.isTrade) - Number(one.isTrade) || one.place - other.place

const compare = (one: bigint, other: bigint) => (one < other ? -1 : one > other ? 1 : 0)

const precedes = (first: TimedEvent, heard: TimedEvent) =>
  first.exchNs < heard.exchNs || (first.exchNs === heard.exchNs && first.localNs < heard.localNs)

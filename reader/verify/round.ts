import {
  ALL_OF_DATE,
  forgetProofState,
  readProofState,
  writeProofState,
  FAULTS_KEPT,
} from '../../formats/proof-state.js'
import type { ProofRound, ProofState } from '../../formats/proof-state.js'
import { dateOf } from '../../platform/utc-date.js'
import type { Finding } from './findings.js'

const WRITTEN_EVERY_MS = 1000
/** What was proven so long ago is to be proven again. */
const GOES_ON_WITHIN_MS = 7 * 86_400_000

interface RoundOptions {
  place: string
  proof: string
  date?: string | undefined
  /** From the beginning, whatever was proven before. */
  anew?: boolean
  nowMs?: () => number
}

/** One round of a proof over dates and what they hold, in order. One that is stopped goes on where it was. */
export class Round {
  readonly #options: RoundOptions
  readonly #nowMs: () => number
  readonly #startedMs: number
  readonly #last: ProofRound | undefined
  readonly #round: ProofRound
  #writtenMs = -Infinity

  constructor(options: RoundOptions) {
    this.#options = options
    this.#nowMs = options.nowMs ?? Date.now
    this.#startedMs = this.#nowMs()
    const known = options.anew === true ? undefined : readProofState(options.place, options.proof, options.date)
    this.#last = known?.last ?? readProofState(options.place, options.proof, options.date)?.last
    const before = known && this.#nowMs() - known.writtenMs < GOES_ON_WITHIN_MS ? known.round : undefined
    this.#round = before?.at ? before : { begunMs: this.#startedMs, facts: {}, found: {}, faults: [] }
  }

  /** What an earlier run of this round came to; undefined for one that begins. */
  get goesOn(): string | undefined {
    const { at, begunMs, found } = this.#round
    if (!at) return undefined
    const faults = found['fault'] ?? 0
    const faultsText = faults === 0 ? '' : `, with ${faults} ${faults === 1 ? 'fault' : 'faults'} found then`
    return `continues after ${at.date}, checked since ${dateOf(begunMs)}${faultsText}; --anew starts over`
  }

  /** Whether a date, or something in it, is behind. */
  isPast(date: string, key = ALL_OF_DATE): boolean {
    const { at } = this.#round
    return at !== undefined && (date < at.date || (date === at.date && key <= at.key))
  }

  /** All up to here is proven: `key` in a date, or all of the date. */
  reached(date: string, key = ALL_OF_DATE, bar?: { done: number; all: number }): void {
    this.#round.at = { date, key }
    if (bar) Object.assign(this.#round, { datesDone: bar.done, dates: bar.all })
    if (performance.now() - this.#writtenMs >= WRITTEN_EVERY_MS) this.save()
  }

  count(fact: string, by = 1): void {
    this.#round.facts[fact] = (this.#round.facts[fact] ?? 0) + by
  }

  /** How often this was counted in the whole round. */
  countOf(fact: string): number {
    return this.#round.facts[fact] ?? 0
  }

  /** Findings by weight, of the whole round. */
  foundOf(weight: Finding['weight']): number {
    return this.#round.found[weight] ?? 0
  }

  note({ weight, code, path, message }: Finding): void {
    this.#round.found[weight] = this.foundOf(weight) + 1
    if (weight === 'fault' && this.#round.faults.length < FAULTS_KEPT) this.#round.faults.push({ code, path, message })
  }

  /** Damage that is mended is not reported any more. */
  mended(paths: ReadonlySet<string>): void {
    for (const round of [this.#round, this.#last])
      if (round) round.faults = round.faults.filter(({ path }) => !paths.has(path))
  }

  save(): void {
    this.#write({ round: this.#round, last: this.#last })
  }

  /** It came to its end. Of single days nothing is to be remembered. */
  end(): void {
    const { place, proof, date } = this.#options
    if (date !== undefined) forgetProofState(place, proof, date)
    else this.#write({ last: { ...this.#round, endedMs: this.#nowMs() } })
  }

  #write(rounds: Pick<ProofState, 'round' | 'last'>): void {
    const { place, proof, date } = this.#options
    this.#writtenMs = performance.now()
    writeProofState(place, proof, { date, writtenMs: this.#nowMs(), startedMs: this.#startedMs, ...rounds })
  }
}

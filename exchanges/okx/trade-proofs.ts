/** Of an instrument whose trades were not carried for a while: from when to when all of them are known by their numbers. */
export interface TradeProof {
  instrument: string
  /** When the last trade before came; where none is known, when the one was made that the exchange shows as its last. */
  fromUs: number
  toUs: number
  /** When the trade was made that the exchange shows as its last. */
  madeUs: number
}

interface Awaited {
  begunUs: number | undefined
  /** Of one that was asked for again before its proof was taken: the first frame of all. */
  first: FirstFrame | undefined
  /** The first frame since it was asked for. */
  shown: FirstFrame | undefined
}

interface FirstFrame {
  /** When the trade before it came to this run, where one did. */
  beforeUs: number | undefined
  madeUs: number
  recvUs: number
}

/** Instruments without any trade have no first frame: after this the exchange is asked for them. */
const FIRST_FRAME_US = 5_000_000

/**
 * The first frame of a subscription shows the last trade, whose number says how many were made meanwhile: what is missing
 * of them is a hole, and reported as that. So all of the time since the last trade before is known, whether or not any was
 * made. Frames may come before their subscription is answered, so that both are waited for.
 */
export class TradeProofs {
  readonly #awaited = new Map<string, Awaited>()

  get isWaiting(): boolean {
    return this.#awaited.size > 0
  }

  /** Whether all of these are waited for already. */
  isAwaited(instruments: readonly string[]): boolean {
    return instruments.every(instrument => this.#awaited.has(instrument))
  }

  /** One is to be asked for anew. @param knownUs since when its next frame will account for all that was made, where it is known */
  missed(instrument: string, knownUs: number | undefined): void {
    const { first, shown } = this.#awaited.get(instrument) ?? {}
    const since = knownUs === undefined ? undefined : { beforeUs: knownUs, madeUs: knownUs, recvUs: knownUs }
    this.#awaited.set(instrument, { begunUs: undefined, first: first ?? shown ?? since, shown: undefined })
  }

  asked(instruments: readonly string[]): void {
    for (const instrument of instruments) {
      const { first, shown } = this.#awaited.get(instrument) ?? {}
      this.#awaited.set(instrument, { begunUs: undefined, first: first ?? shown, shown: undefined })
    }
  }

  begun(instruments: readonly string[], nowUs: number): void {
    for (const instrument of instruments) {
      const awaited = this.#awaited.get(instrument)
      if (awaited) awaited.begunUs = nowUs
    }
  }

  ended(instruments: readonly string[]): void {
    for (const instrument of instruments) this.#awaited.delete(instrument)
  }

  shown(instrument: string, shown: FirstFrame): void {
    const awaited = this.#awaited.get(instrument)
    if (awaited) awaited.shown ??= shown
  }

  /** What is known by now. @param earlierUs when earlier runs received the last trade of an instrument */
  take(earlierUs: (instrument: string) => number | undefined): TradeProof[] {
    const proofs: TradeProof[] = []
    for (const [instrument, { begunUs, first, shown }] of this.#awaited) {
      if (begunUs === undefined || shown === undefined) continue
      this.#awaited.delete(instrument)
      const { beforeUs, madeUs } = first ?? shown
      const fromUs = beforeUs ?? earlierUs(instrument) ?? madeUs
      proofs.push({ instrument, fromUs, toUs: Math.max(begunUs, shown.recvUs), madeUs: shown.madeUs })
    }
    return proofs
  }

  /** Those that nothing was heard of for a while since they were subscribed; each once. */
  takeQuiet(nowUs: number): string[] {
    const quiet = [...this.#awaited].filter(
      ([, { begunUs, shown }]) => shown === undefined && begunUs !== undefined && nowUs - begunUs > FIRST_FRAME_US,
    )
    for (const [instrument] of quiet) this.#awaited.delete(instrument)
    return quiet.map(([instrument]) => instrument)
  }
}

/** Proofs that are journalled as one, by the span that they share. */
export interface JoinedProof extends Omit<TradeProof, 'instrument' | 'madeUs'> {
  instruments: string[]
}

/** What is known of later times than the newest trade of before stands alone; where there was none, nothing was missed. */
export function joinedProofs(proofs: readonly Omit<TradeProof, 'madeUs'>[], newestBeforeUs: number): JoinedProof[] {
  if (newestBeforeUs === -Infinity) return []
  const joined = proofs.filter(({ fromUs }) => fromUs <= newestBeforeUs)
  const alone = proofs.filter(({ fromUs }) => fromUs > newestBeforeUs)
  const shared: JoinedProof = {
    instruments: joined.map(({ instrument }) => instrument),
    fromUs: Math.max(...joined.map(({ fromUs }) => fromUs)),
    toUs: Math.max(...joined.map(({ toUs }) => toUs)),
  }
  const others = alone.map(({ instrument, fromUs, toUs }) => ({ instruments: [instrument], fromUs, toUs }))
  return joined.length > 0 ? [shared, ...others] : others
}

import type { Progress, showProgress } from '../../platform/progress-bar.js'
import { Findings, type Finding } from './findings.js'
import type { Proof, ProofResult } from './proof.js'
import { Round } from './round.js'

interface TurnOptions {
  /** Path of the config file, for proofs that need more than a folder. */
  config: string
  /** `YYYY-MM-DD`: only this day. */
  date: string | undefined
  /** What is damaged is to be mended. */
  repair: boolean
  /** From the beginning, not from where it was stopped. */
  anew: boolean
  /** Ends a proof that can go on later. */
  signal: AbortSignal
  startProgress: typeof showProgress
  /** A proof begins where an earlier run of it was stopped. */
  onGoesOn: (proof: string, text: string) => void
  onFinding: (finding: Finding) => void
  onProven: (proof: string, result: ProofResult) => void
}

/** What all proofs found together. */
interface Proven {
  faults: number
  unproven: number
  notes: number
  /** False where a proof was stopped before its end; it goes on from there another time. */
  isWhole: boolean
}

/** Proves one after the other; each that goes on later remembers how far it came, as soon as it is there. */
export async function proveInTurn(proofs: readonly Proof[], place: string, options: TurnOptions): Promise<Proven> {
  const { date, anew, onGoesOn, onFinding, onProven, startProgress: start, ...asked } = options
  let progress: Progress | undefined
  let round: Round
  const findings = new Findings(
    finding => {
      if (progress) progress.aside(() => onFinding(finding))
      else onFinding(finding)
    },
    finding => round.note(finding),
  )
  const startProgress: typeof start = (label, total, unit) => (progress = start(label, total, unit))
  let isWhole = true
  for (const proof of proofs) {
    round = new Round({ place, proof: proof.name, date, anew: anew || !proof.goesOn })
    if (round.goesOn !== undefined) onGoesOn(proof.name, round.goesOn)
    for (const weight of ['fault', 'unproven', 'note'] as const) findings.carry(weight, round.foundOf(weight))
    let result: ProofResult
    try {
      result = await proof.prove(place, { findings, startProgress, round, date, ...asked })
    } finally {
      progress?.stop()
      progress = undefined
    }
    if (proof.goesOn) {
      if (result.isWhole === false) round.save()
      else round.end()
    }
    if (result.isWhole === false) isWhole = false
    onProven(proof.name, result)
  }
  findings.finish()
  const { fault: faults, unproven, note: notes } = findings.counts
  return { faults, unproven, notes, isWhole }
}

/** `fault`: not as it must be. `unproven`: could not be checked, with the reason. `note`: declared, or worth knowing. */
export type Weight = 'fault' | 'unproven' | 'note'

export interface Finding {
  weight: Weight
  /** Stable, UPPER_SNAKE; programs match on it. */
  code: string
  /** Below the folder that is proven, with forward slashes. */
  path: string
  /** Line of the decoded file, from 1. */
  line?: number
  message: string
  hint?: string
}

/** A file that is wrong all over says so this often, then only how often more. */
const SHOWN_PER_FILE = 20

/** Collects what a proof finds and hands it on at once; remembers counts alone, whatever the number of faults. */
export class Findings {
  readonly #show: (finding: Finding) => void
  readonly #onEach: (finding: Finding) => void
  readonly #seen = new Map<string, { finding: Finding; count: number }>()
  readonly counts: Record<Weight, number> = { fault: 0, unproven: 0, note: 0 }

  /** @param onEach hears of every finding, those of a file that are not shown any more included */
  constructor(show: (finding: Finding) => void, onEach: (finding: Finding) => void = () => undefined) {
    this.#show = show
    this.#onEach = onEach
  }

  /** Findings of an earlier run that this one goes on with: they were reported then. */
  carry(weight: Weight, count: number): void {
    this.counts[weight] += count
  }

  add(finding: Finding): void {
    this.counts[finding.weight]++
    this.#onEach(finding)
    const key = `${finding.code} ${finding.path}`
    const seen = this.#seen.get(key)
    if (seen) seen.count++
    else this.#seen.set(key, { finding, count: 1 })
    if ((seen?.count ?? 1) <= SHOWN_PER_FILE) this.#show(finding)
  }

  /** Says of each file how many of a kind were not shown. */
  finish(): void {
    for (const { finding, count } of this.#seen.values()) {
      if (count <= SHOWN_PER_FILE) continue
      const { weight, code, path } = finding
      this.#show({ weight, code, path, message: `… and ${count - SHOWN_PER_FILE} more like these` })
    }
  }
}

/** As compilers say it: `fault: path:line: message [CODE]`. */
export function findingText({ weight, code, path, line, message, hint }: Finding): string {
  const place = line === undefined ? path : `${path}:${line}`
  return `${weight}: ${place}: ${message} [${code}]${hint === undefined ? '' : `\n  hint: ${hint}`}`
}

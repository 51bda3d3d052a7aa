/** What a refusal says of the topics of its request, by the exchange's own words. */
export type Refusal =
  /** This one is not to be had; the others were not even looked at. */
  | { of: string; known: false }
  /** This one flows already; what became of the others is not said. */
  | { of: string; known: true }
  /** There were too many in one request. */
  | 'too many'
  /** Nothing that is understood. */
  | 'unclear'

const REPEATED = /already subscribed,\s*topic:\s*([^\s,\]]+)/i
const NAMED = [/topic:\s*([^\s,\]]+)/i, /Invalid symbol\s*:\s*\[([^\s,\]]+)/i]

export function refusalOf(message: string): Refusal {
  if (/args size/i.test(message)) return 'too many'
  const repeated = REPEATED.exec(message)?.[1]
  if (repeated !== undefined) return { of: repeated, known: true }
  for (const pattern of NAMED) {
    const named = pattern.exec(message)?.[1]
    if (named !== undefined) return { of: named, known: false }
  }
  return 'unclear'
}

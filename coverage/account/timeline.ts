import { clip, without, type Span } from '../../platform/spans.js'
import type { Grade, State, StateSpan } from './account.js'

/** What a span is said to be, without when. */
export type Said = Omit<StateSpan, 'fromUs' | 'toUs'>

/** A line of time that is painted over, span by span: it has always exactly one state at each moment of its window. */
export class Timeline {
  #spans: StateSpan[]

  constructor({ fromUs, toUs }: Span, said: Said) {
    this.#spans = fromUs < toUs ? [{ fromUs, toUs, ...said }] : []
  }

  get spans(): readonly StateSpan[] {
    return this.#spans
  }

  /** @param where may only be painted over what is so */
  paint(spans: readonly Span[], said: Said, where: (before: StateSpan) => boolean = () => true): this {
    if (spans.length === 0) return this
    this.#spans = this.#spans.flatMap(before => {
      const inside = where(before) ? clip(spans, before) : []
      if (inside.length === 0) return [before]
      const rest = without([before], inside).map(span => ({ ...before, ...span }))
      return [...rest, ...without(inside, []).map(({ fromUs, toUs }) => ({ fromUs, toUs, ...said }))].sort(byBegin)
    })
    return this
  }

  /** The part that lies in a window, with neighbours that say the same as one. */
  within({ fromUs, toUs }: Span): StateSpan[] {
    const inside = this.#spans.filter(span => span.fromUs < toUs && span.toUs > fromUs)
    return joined(
      inside.map(span => ({ ...span, fromUs: Math.max(fromUs, span.fromUs), toUs: Math.min(toUs, span.toUs) })),
    )
  }
}

const byBegin = (a: Span, b: Span) => a.fromUs - b.fromUs

const saysTheSame = (a: StateSpan, b: StateSpan) =>
  a.state === b.state && a.grade === b.grade && a.cause === b.cause && a.proof === b.proof

export function joined(spans: readonly StateSpan[]): StateSpan[] {
  const list: StateSpan[] = []
  for (const span of spans) {
    const last = list.at(-1)
    if (last && last.toUs === span.fromUs && saysTheSame(last, span)) last.toUs = span.toUs
    else list.push({ ...span })
  }
  return list
}

const STATES: readonly State[] = ['recorded', 'healed', 'not yet known', 'missing', 'not recording']
const GRADES: readonly Grade[] = ['exact', 'watched', 'claimed']

/** Of two words on one moment the better one, whichever came first. */
function isBetter(a: StateSpan, b: StateSpan): boolean {
  const rankOf = ({ state, cause, grade }: StateSpan) =>
    10 * STATES.indexOf(state) + (cause === undefined && state === 'not recording' ? 5 : 0) + GRADES.indexOf(grade)
  const difference = rankOf(a) - rankOf(b)
  if (difference !== 0) return difference < 0
  return `${a.cause ?? ''}\n${a.proof ?? ''}` < `${b.cause ?? ''}\n${b.proof ?? ''}`
}

/** What two accounts of one channel come to: at each moment what the one that had more says. */
export function mergedSpans(one: readonly StateSpan[], other: readonly StateSpan[]): StateSpan[] {
  const merged: StateSpan[] = []
  let [i, j] = [0, 0]
  let fromUs = Math.min(one[0]?.fromUs ?? Infinity, other[0]?.fromUs ?? Infinity)
  for (;;) {
    const [a, b] = [one[i], other[j]]
    if (!a && !b) return joined(merged)
    const now = [a, b].filter(span => span !== undefined).filter(span => span.fromUs <= fromUs)
    const toUs = Math.min(...[a, b].flatMap(span => (span ? [span.fromUs <= fromUs ? span.toUs : span.fromUs] : [])))
    const [first, second] = now
    if (first) merged.push({ ...(second && isBetter(second, first) ? second : first), fromUs, toUs })
    if (a && a.toUs <= toUs) i++
    if (b && b.toUs <= toUs) j++
    fromUs = toUs
  }
}

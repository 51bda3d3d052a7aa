/** A span of time, µs since the epoch; `toUs` is not part of it. */
export interface Span {
  fromUs: number
  toUs: number
}

/** The same time, each moment once, in order. */
export function unionOf(spans: readonly Span[]): Span[] {
  const union: Span[] = []
  for (const span of [...spans].sort((a, b) => a.fromUs - b.fromUs)) {
    const last = union.at(-1)
    if (last !== undefined && span.fromUs <= last.toUs) last.toUs = Math.max(last.toUs, span.toUs)
    else union.push({ ...span })
  }
  return union
}

/** The part of the spans that lies in `window`. */
export function clip(spans: readonly Span[], window: Span): Span[] {
  return spans
    .map(({ fromUs, toUs }) => ({ fromUs: Math.max(fromUs, window.fromUs), toUs: Math.min(toUs, window.toUs) }))
    .filter(({ fromUs, toUs }) => fromUs < toUs)
}

/** Whole seconds in the spans: of each the part that surely held a tick of something that comes every second. */
export function wholeSeconds(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromUs, toUs }) => sum + Math.floor((toUs - fromUs) / 1_000_000), 0)
}

/** A span of time, µs since the epoch; `toUs` is not part of it. */
export interface Span {
  fromUs: number
  toUs: number
}

/** The same time, each moment once, in order. */
export function unionOf(spans: readonly Span[]): Span[] {
  const union: Span[] = []
  for (const { fromUs, toUs } of [...spans].sort((a, b) => a.fromUs - b.fromUs)) {
    const last = union.at(-1)
    if (last !== undefined && fromUs <= last.toUs) last.toUs = Math.max(last.toUs, toUs)
    else union.push({ fromUs, toUs })
  }
  return union
}

/** The part of the spans that lies in `window`. */
export function clip(spans: readonly Span[], window: Span): Span[] {
  return spans
    .map(({ fromUs, toUs }) => ({ fromUs: Math.max(fromUs, window.fromUs), toUs: Math.min(toUs, window.toUs) }))
    .filter(({ fromUs, toUs }) => fromUs < toUs)
}

/** What is left of the spans outside of `holes`, each moment once, in order. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  const left: Span[] = []
  const merged = unionOf(holes)
  for (const span of unionOf(spans)) {
    let fromUs = span.fromUs
    for (const hole of merged) {
      if (hole.toUs <= fromUs || hole.fromUs >= span.toUs) continue
      if (hole.fromUs > fromUs) left.push({ fromUs, toUs: hole.fromUs })
      fromUs = Math.max(fromUs, hole.toUs)
    }
    if (fromUs < span.toUs) left.push({ fromUs, toUs: span.toUs })
  }
  return left
}

/** Length of the spans together, µs; spans that overlap count as often as they do. */
export function lengthUs(spans: readonly Span[]): number {
  return spans.reduce((sum, { fromUs, toUs }) => sum + (toUs - fromUs), 0)
}

/** What both have, each moment once, in order. */
export function overlap(spans: readonly Span[], others: readonly Span[]): Span[] {
  const merged = unionOf(others)
  return unionOf(spans).flatMap(span => clip(merged, span))
}

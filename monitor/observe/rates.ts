import type { RecorderStatus } from '../../formats/part-status.js'

/** Counts of one moment, as the recorder wrote them. */
export interface Counted {
  run: string | undefined
  atMs: number
  families: ReadonlyMap<string, { frames: number; bytes: number }>
  connections: ReadonlyMap<string, number>
}

/** Frames and bytes a second. */
export interface Rate {
  frames: number
  bytes: number
}

export interface Rates {
  families: ReadonlyMap<string, Rate>
  connections: ReadonlyMap<string, number>
}

export const noRates: Rates = { families: new Map(), connections: new Map() }

/** Undefined where the status does not say when it was written. */
export function countedOf(status: RecorderStatus, writtenAt: string | undefined): Counted | undefined {
  if (writtenAt === undefined) return undefined
  return {
    run: status.run,
    atMs: Date.parse(writtenAt),
    families: new Map(
      Object.entries(status.families).map(([name, { frames = 0, bytes = 0 }]) => [name, { frames, bytes }]),
    ),
    connections: new Map(status.connections.map(({ name, frames = 0 }) => [name, frames])),
  }
}

/** Rates between two moments of one run; none where they are not of one run, or not two moments. Pure. */
export function ratesBetween(before: Counted | undefined, after: Counted | undefined): Rates {
  if (!before || !after || before.run !== after.run || after.atMs <= before.atMs) return noRates
  const seconds = (after.atMs - before.atMs) / 1000
  const perSecond = (now: number, then = 0) => Math.max(0, now - then) / seconds
  const families = [...after.families].map(([name, { frames, bytes }]) => {
    const then = before.families.get(name)
    return [name, { frames: perSecond(frames, then?.frames), bytes: perSecond(bytes, then?.bytes) }] as const
  })
  const connections = [...after.connections].map(
    ([name, frames]) => [name, perSecond(frames, before.connections.get(name))] as const,
  )
  return { families: new Map(families), connections: new Map(connections) }
}

import type { Kind } from '../../../coverage/channel-target.js'
import type { CoverageLine } from '../../../coverage/assess.js'

/** What was collected of one kind of instrument in one hour of a day. */
export interface HourOfKind {
  kind: Kind
  /** 0 to 23, UTC. */
  hour: number
  rows: number
  /** As complete as the least complete of its data, 0 to 1, and which that is; neither where nothing says what was to come. */
  share?: number
  least?: string
}

export interface CoverageDay {
  date: string
  /** When this was measured, ms since the epoch. */
  atMs: number
  /** Hours in which anything was to be recorded, by kind. */
  hours: HourOfKind[]
}

type Line = Pick<CoverageLine, 'data' | 'kind' | 'hourUs' | 'rows' | 'complete'>

/** Adds up a report by hour: a kind is no better than the worst of its data. Pure. */
export function hoursOf(lines: readonly Line[]): HourOfKind[] {
  const hours = new Map<string, HourOfKind>()
  for (const { data, kind, hourUs = 0, rows, complete } of lines) {
    const hour = new Date(hourUs / 1000).getUTCHours()
    const sum = hours.get(`${kind} ${hour}`) ?? { kind, hour, rows: 0 }
    hours.set(`${kind} ${hour}`, sum)
    sum.rows += rows
    if (complete === undefined || complete >= (sum.share ?? Infinity)) continue
    sum.share = complete
    sum.least = data
  }
  return [...hours.values()]
}

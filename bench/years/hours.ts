/** Which hours of a day stand in which segments, by the recorder's own rules. */
import type { DeribitConfig } from '../../exchanges/deribit/config.js'
import type { Instrument } from '../../exchanges/deribit/instruments.js'
import { planPolls } from '../../exchanges/deribit/polls.js'
import { dueMs } from '../../exchanges/polls.js'
import { localDisk } from '../../platform/disk.js'
import { HourVolumes } from '../../recorder/storage/hour-volumes.js'
import { endOfSegmentMs, goesOn, type LongSegments } from '../../recorder/storage/segment-length.js'

export const HOUR_MS = 3_600_000
/** The day before was the same, and so much of it is looked at. */
const HOURS_BEFORE = 8
const NO_FILE = ''

/** What an hour brings of a family, compressed; undefined where nothing of it comes. */
export type BytesIn = (hourMs: number) => number | undefined

/** How often each family is asked for that does not come by itself, by the config. */
export function periodsMs(instruments: readonly Instrument[], config: DeribitConfig): Map<string, number> {
  const polls = planPolls(instruments, config).map(({ family, everyMs }) => [family, everyMs] as const)
  return new Map([...polls, ['instruments', config.rediscoverMinutes * 60_000]])
}

/** @param bytes of one round of all that is asked for */
export function polled(bytes: number, everyMs: number): BytesIn {
  const poll = { id: '', everyMs }
  return hourMs => {
    let rounds = 0
    for (let atMs = dueMs(poll, hourMs - 1); atMs < hourMs + HOUR_MS; atMs = dueMs(poll, atMs)) rounds++
    return rounds === 0 ? undefined : bytes * rounds
  }
}

interface Day {
  fromMs: number
  hours: number
  long: LongSegments
}

/** Some hours in one segment, and whether it may go on beyond its first. */
export interface HoursOfSegment {
  hoursMs: number[]
  ofDate: boolean
}

/** The segments of a family as a recorder makes them that ran the day before as well. */
export function segmentsOf(channel: string, bytesIn: BytesIn, { fromMs, hours, long }: Day): HoursOfSegment[] {
  const volumes = new HourVolumes(localDisk, NO_FILE)
  const note = (hourMs: number) => volumes.note(channel, hourMs, bytesIn(hourMs) ?? 0)
  for (let before = HOURS_BEFORE; before > 0; before--) note(fromMs - before * HOUR_MS)
  const segments: (HoursOfSegment & { toMs: number; bytes: number })[] = []
  for (let hourMs = fromMs; hourMs < fromMs + hours * HOUR_MS; hourMs += HOUR_MS) {
    const bytes = bytesIn(hourMs)
    const bytesAnHour = volumes.bytesAnHour(channel, hourMs)
    note(hourMs)
    if (bytes === undefined) continue
    const last = segments.at(-1)
    if (last && hourMs < last.toMs && goesOn(last.bytes, bytesAnHour, long)) {
      last.hoursMs.push(hourMs)
      last.bytes += bytes
    } else {
      const toMs = channel === 'journal' ? hourMs + HOUR_MS : endOfSegmentMs(hourMs, bytesAnHour, long)
      segments.push({ hoursMs: [hourMs], ofDate: toMs > hourMs + HOUR_MS, toMs, bytes })
    }
  }
  return segments
}

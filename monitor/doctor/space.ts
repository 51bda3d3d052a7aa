import type { Finding } from './finding.js'
import type { ExpectedVolume } from './expected-volume.js'
import { daysText, sizeText } from '../../platform/figures.js'

const GIB = 1024 ** 3
/** Fewer days than this are a warning, or too few. */
const DAYS_FEW = 14
const DAYS_TOO_FEW = 2
/** Outages of a NAS are usually longer than this. */
const AWAY_DAYS_FEW = 1

interface HereFacts {
  freeBytes: number
  /** Already in dataDir. */
  dataBytes: number
  volume: ExpectedVolume | undefined
  /** Verified files leave after `keepHours`; without a target nothing ever does. */
  shipped: boolean
  keepHours: number
  minFreeGiB: number
}

/** How long the disk here lasts. Pure. */
export function judgeDisk(seen: HereFacts): Finding {
  const { freeBytes, volume, shipped, minFreeGiB } = seen
  const usable = freeBytes - minFreeGiB * GIB
  const facts = { free_bytes: freeBytes, data_bytes: seen.dataBytes, ...volumeFacts(volume) }
  if (usable <= 0) {
    const message = `${sizeText(freeBytes)} free, less than retention.minFreeGiB (${minFreeGiB} GiB)`
    return { check: 'disk', outcome: 'failed', message, hint: 'free some space, or use a larger disk', facts }
  }
  if (!volume || volume.bytesPerDay <= 0)
    return {
      check: 'disk',
      outcome: 'ok',
      message: `${sizeText(freeBytes)} free; what a day takes is not known yet`,
      facts,
    }
  return shipped ? judgeShipped(seen, volume, usable, facts) : judgeKept(freeBytes, volume, usable, facts)
}

function judgeKept(freeBytes: number, volume: ExpectedVolume, usable: number, facts: object): Finding {
  const days = usable / volume.bytesPerDay
  return {
    check: 'disk',
    outcome: outcomeOf(days),
    message: `${sizeText(freeBytes)} free, ${volumeText(volume)}: full in ${daysText(days)}, since no sync.target is set`,
    ...(days < DAYS_FEW
      ? { hint: 'set sync.target so that files leave for a NAS, or record less (exchange.channels)' }
      : {}),
    facts: { ...facts, days_left: days },
  }
}

/** Files stay `keepHours`, and as much longer as the NAS is away. */
function judgeShipped(seen: HereFacts, volume: ExpectedVolume, usable: number, facts: object): Finding {
  const { freeBytes, dataBytes, keepHours } = seen
  const heldBytes = volume.bytesPerDay * (keepHours / 24)
  const awayDays = (usable - Math.max(0, heldBytes - dataBytes)) / volume.bytesPerDay
  const start = `${sizeText(freeBytes)} free, ${volumeText(volume)}`
  const all = { ...facts, held_bytes: heldBytes, target_away_days: awayDays }
  if (awayDays <= 0) {
    return {
      check: 'disk',
      outcome: 'warning',
      message: `${start}: too little for retention.keepHours ${keepHours} (${sizeText(heldBytes)}), verified files go sooner`,
      hint: 'lower retention.keepHours, record less (exchange.channels), or use a larger disk',
      facts: all,
    }
  }
  const away = `${start}; ${sizeText(heldBytes)} stay here for ${keepHours} h, and the NAS may be away for ${daysText(awayDays)}`
  return {
    check: 'disk',
    outcome: awayDays < AWAY_DAYS_FEW ? 'warning' : 'ok',
    message: away,
    ...(awayDays < AWAY_DAYS_FEW ? { hint: 'lower retention.keepHours, or use a larger disk' } : {}),
    facts: all,
  }
}

/**
 * How long the disk of the target lasts. Pure.
 * @param freeBytes undefined where it does not say
 */
export function judgeTargetSpace(freeBytes: number | undefined, volume: ExpectedVolume | undefined): Finding {
  const check = 'nas space'
  const facts = { free_bytes: freeBytes ?? null, ...volumeFacts(volume) }
  if (freeBytes === undefined) {
    const need = volume ? `; a year takes about ${sizeText(365 * volume.bytesPerDay)}` : ''
    return { check, outcome: 'ok', message: `it does not report how much is free there${need}`, facts }
  }
  if (!volume || volume.bytesPerDay <= 0)
    return { check, outcome: 'ok', message: `${sizeText(freeBytes)} free there`, facts }
  const days = freeBytes / volume.bytesPerDay
  return {
    check,
    outcome: outcomeOf(days),
    message: `${sizeText(freeBytes)} free there, full in ${daysText(days)}`,
    ...(days < DAYS_FEW ? { hint: 'free some space there: nothing is deleted here before it is safe there' } : {}),
    facts: { ...facts, days_left: days },
  }
}

function outcomeOf(days: number): Finding['outcome'] {
  return days < DAYS_TOO_FEW ? 'failed' : days < DAYS_FEW ? 'warning' : 'ok'
}

function volumeText({ bytesPerDay, from }: ExpectedVolume): string {
  const gb = `${(bytesPerDay / 1e9).toFixed(bytesPerDay < 1e8 ? 3 : 1)} GB a day`
  return from === 'recorded' ? `${gb} by what was recorded` : `about ${gb} expected (rough: by channels)`
}

function volumeFacts(volume: ExpectedVolume | undefined): object {
  return { bytes_per_day: volume?.bytesPerDay ?? null, volume_from: volume?.from ?? null }
}

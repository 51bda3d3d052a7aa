import { HAS_HEAD } from './line-head.js'

/** Why a line has no row of its table: the text of `verdict`. What is none of these is a reason for quarantine. */

/** Not a complaint: the line belongs into table `frames`. */
export const TO_FRAMES = 'to frames'
/** Starts the reason of a frame that is understood and has no row. */
export const KNOWN = 'known: '
/** The line fits a later reading of its table. */
export const toReading = (place: number) => `to reading ${place}`

/** Verdicts on any line, whatever its table: branches of a CASE. */
export const LINE_VERDICTS = `WHEN nullif(line, '') IS NULL THEN 'empty line'
    WHEN received IS NULL THEN 'not JSON'
    WHEN NOT coalesce(${HAS_HEAD}, false)
      THEN 'no valid recv_us, conn and seq'`

/** True for a frame that is no JSON: an SQL condition. */
export const IS_OTHER_TEXT = `regexp_matches(line, '^\\{"recv_us":\\d+,"conn":"[^"]*","seq":\\d+,"(text|base64)":"')`

export const isKnown = (verdict: string) => verdict.startsWith(KNOWN)
/** Of what is left once every line was staged: only what is known needs no quarantine. */
export const isQuarantined = (verdict: string) => !isKnown(verdict)

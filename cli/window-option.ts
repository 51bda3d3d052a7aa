import { existsSync } from 'node:fs'
import { EdgeError } from '../platform/edge-error.js'
import { parseTimeUs } from '../platform/moment.js'
import type { Span } from '../platform/spans.js'
import { requireDate } from '../platform/utc-date.js'

/** What time a command is asked about: a day, or from one time to another. */
export interface WindowOptions {
  date?: string
  from?: string
  to?: string
}

/**
 * Undefined: all that is there.
 * @param code of its errors, beside TIME_INVALID and DATE_INVALID
 */
export function askedWindow(
  { date, from, to }: WindowOptions,
  code: string,
): { date: string } | { span: Span } | undefined {
  if (date !== undefined) {
    if (from !== undefined || to !== undefined)
      throw new EdgeError(code, 'found --date and --from or --to, wanted one way to say when')
    requireDate(date)
    return { date }
  }
  if (from === undefined && to === undefined) return undefined
  const span = {
    fromUs: from === undefined ? 0 : beginUs(from),
    toUs: to === undefined ? Infinity : parseTimeUs(to),
  }
  if (span.fromUs < span.toUs) return { span }
  const found = from === undefined ? `--to ${to}` : `--from ${from} and --to ${to}`
  throw new EdgeError(code, `found ${found}, wanted an end behind ${from === undefined ? '1970' : 'the begin'}`)
}

/** A folder, which `query --from` took up to 0.1.0, is told apart from a time with a mistake in it. */
function beginUs(from: string): number {
  try {
    return parseTimeUs(from)
  } catch (cause) {
    if (!(cause instanceof EdgeError) || !(from.includes('/') || existsSync(from))) throw cause
    throw new EdgeError(cause.code, cause.message, { hint: `a folder is given with --path ${from}`, cause })
  }
}

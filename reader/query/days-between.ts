/**
 * Paths of the days that a question is about, in SQL for other programs: these list a whole tree for a pattern of all days,
 * and refuse a pattern that finds nothing.
 */
import { sqlText } from '../../platform/duckdb.js'
import { datesBetween } from '../../platform/utc-date.js'

/** Days that are known, in few words however many they are. */
export interface KnownDays {
  first: string
  last: string
  /** Between those. */
  missing: readonly string[]
}

/** @param dates in any order, also more than once; undefined where there are none. Pure. */
export function knownDays(dates: Iterable<string>): KnownDays | undefined {
  const known = new Set(dates)
  const sorted = [...known].sort()
  const [first] = sorted
  const last = sorted.at(-1)
  if (first === undefined || last === undefined) return undefined
  return { first, last, missing: (datesBetween(first, last) ?? []).filter(date => !known.has(date)) }
}

/**
 * A list of patterns, in SQL that DuckDB computes before it looks at any file: of the days from `from` to `to` those that
 * are known, and never none. Of what came later than the last that is known nobody says whether it is there: then all
 * days are looked through. Pure.
 * @param above the pattern above the folders of days, and
 * @param below that of files in them
 * @param from SQL for a date, as is
 * @param to which is included
 */
export function pathsBetween(above: string, below: string, from: string, to: string, days: KnownDays): string {
  const { first, last, missing } = days
  const at = (day: string) => `${sqlText(`${above}/date=`)} || ${day} || ${sqlText(`/${below}`)}`
  const place = (date: string) => `date_diff('day', DATE '${first}', ${date}::DATE)`
  const asked = `[(DATE '${first}' + i::INTEGER)::VARCHAR for i in range(greatest(0, ${place(from)}), 1 + ${place(to)})]`
  const lacking = missing.length === 0 ? '' : ` if NOT list_contains([${missing.map(sqlText).join(', ')}], day)`
  return `CASE WHEN ${to}::DATE > DATE '${last}' THEN [${at("'*'")}]
    ELSE coalesce(nullif([${at('day')} for day in ${asked}${lacking}], []), [${at(sqlText(first))}]) END`
}

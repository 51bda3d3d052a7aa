import { z } from '../../platform/zod.js'
import { sqlText } from '../../platform/duckdb.js'
import { timeText } from '../../platform/moment.js'
import { greatest } from '../../platform/extremes.js'
import { groupBy } from '../../platform/group-by.js'
import { rowsOf, shownSql, withinSql, type Asked } from './asked.js'
import type { Axis } from './axis.js'
import { valueAxis } from './axis.js'
import type { Layer, Point, Tone } from './chart.js'
import type { Section } from './section.js'
import { dateOf } from '../../platform/utc-date.js'

/** Chains shown, and expiries of each, by open interest. */
const CHAINS_MAX = 2
const TONES: readonly Tone[] = [1, 2, 3, 4]
/** Strikes further from the money, as a logarithm, are left out: their IV would flatten all others. */
const MONEYNESS_MAX = 0.4

const optionRow = z.object({
  exchange: z.string(),
  pair: z.string(),
  currency: z.string(),
  expiry_ms: z.number(),
  days: z.number(),
  strike: z.number(),
  moneyness: z.number().nullable(),
  is_out: z.boolean().nullable(),
  mark_iv: z.number().nullable(),
  interest_usd: z.number(),
})
export type OptionRow = z.infer<typeof optionRow>

const lastRow = z.object({ last_us: z.number().nullable() })
const atmRow = z.object({
  exchange: z.string(),
  pair: z.string(),
  currency: z.string(),
  days: z.number(),
  iv: z.number(),
})
export type AtmRow = z.infer<typeof atmRow>

/** Smile and term structure of the largest chains, at the last moment of the span of which options are known. */
export async function optionSections(asked: Asked): Promise<Section[]> {
  const [last] = await rowsOf(
    asked,
    `SELECT max(epoch_us(exchange_ts))::DOUBLE AS last_us FROM tickers_all
    WHERE ${withinSql(asked, 'exchange_ts')} AND kind = 'option'`,
    lastRow,
  )
  if (last?.last_us === null || last === undefined)
    return [{ title: 'Options', charts: [], absent: 'no tickers of options in the tables or in raw' }]
  // A state is the last one strictly before its moment.
  const atUs = last.last_us + 1000
  const moment = `INTERVAL 1 HOUR, ${sqlText(timeText(atUs))}, ${sqlText(timeText(atUs))}`
  const options = await rowsOf(
    asked,
    `SELECT exchange, pair, currency, epoch_ms(expiry_ts)::DOUBLE AS expiry_ms, days, strike, log_moneyness AS moneyness,
      (option_type = 'call') = (log_moneyness >= 0) AS is_out, mark_iv_pct AS mark_iv,
      coalesce(open_interest_coin * underlying_price_usd, 0) AS interest_usd
    FROM option_chain_at(${moment}) WHERE expiry_ts IS NOT NULL AND strike IS NOT NULL AND ${shownSql(asked)}`,
    optionRow,
  )
  const money = await rowsOf(
    asked,
    `SELECT exchange, pair, currency, days, atm_mark_iv_pct AS iv FROM atm_volatility(${moment})
    WHERE atm_mark_iv_pct IS NOT NULL AND ${shownSql(asked)} ORDER BY days`,
    atmRow,
  )
  const tenors = await rowsOf(
    asked,
    `SELECT exchange, pair, currency, tenor_days AS days, atm_mark_iv_pct AS iv FROM term_structure(${moment})
    WHERE atm_mark_iv_pct IS NOT NULL AND ${shownSql(asked)} ORDER BY tenor_days`,
    atmRow,
  )
  return chainSections(options, money, tenors, atUs)
}

const chainOf = ({ exchange, pair, currency }: Pick<OptionRow, 'exchange' | 'pair' | 'currency'>) =>
  `${exchange} ${pair}${pair.startsWith(currency) ? '' : ` in ${currency}`}`
const interestOf = (rows: readonly OptionRow[]) => rows.reduce((sum, { interest_usd }) => sum + interest_usd, 0)

/** Pure. */
export function chainSections(
  options: readonly OptionRow[],
  money: readonly AtmRow[],
  tenors: readonly AtmRow[],
  atUs: number,
): Section[] {
  const chains = [...groupBy(options, chainOf)].sort((a, b) => interestOf(b[1]) - interestOf(a[1]))
  return chains.slice(0, CHAINS_MAX).map(([title, rows]) => {
    const own = (row: AtmRow) => chainOf(row) === title
    return {
      title: `Options: ${title}`,
      note: `As of ${timeText(atUs).slice(11, 19)}. The expiries with the largest open interest; IV of the mark.`,
      charts: [smileChart(rows), termChart(money.filter(own), tenors.filter(own))],
    }
  })
}

function smileChart(rows: readonly OptionRow[]) {
  const shown = [...groupBy(rows, ({ expiry_ms }) => String(expiry_ms))]
    .sort((a, b) => interestOf(b[1]) - interestOf(a[1]))
    .slice(0, TONES.length)
    .sort((a, b) => Number(a[0]) - Number(b[0]))
  const layers = shown.map(([expiry, own], index): Layer => {
    const points = own
      .filter(({ is_out, moneyness }) => is_out === true && Math.abs(moneyness ?? Infinity) <= MONEYNESS_MAX)
      .sort((a, b) => a.strike - b.strike)
      .map(({ strike, mark_iv }): Point => [strike, mark_iv])
    return { shape: 'line', name: dateOf(Number(expiry)), tone: TONES[index] ?? 1, points }
  })
  const strikes = layers.flatMap(({ points }) => points.map(([strike]) => strike))
  const x = everyOther(valueAxis(strikes))
  return { title: 'IV smile', unit: '% by strike, options out of the money', x, layers }
}

/** On a phone not more than four numbers of six digits stand beside each other. */
function everyOther(axis: Axis): Axis {
  const every = Math.ceil(axis.ticks.length / 5)
  return { ...axis, ticks: axis.ticks.filter((_, index) => index % every === 0) }
}

const DAYS_MARKED = [1, 7, 30, 90, 180, 365, 730]

function termChart(money: readonly AtmRow[], tenors: readonly AtmRow[]) {
  const to = greatest([1, ...money.map(({ days }) => days), ...tenors.map(({ days }) => days)])
  const ticks = DAYS_MARKED.filter(days => days <= to).map(days => ({ at: days, label: `${days} d` }))
  const x: Axis = { from: 0, to, ticks, bend: Math.sqrt }
  const layers: Layer[] = [
    { shape: 'line', name: 'fixed times ahead', tone: 1, points: tenors.map(({ days, iv }) => [days, iv]) },
    {
      ...{ shape: 'dots', name: 'expiries', tone: 2 },
      points: money.map(({ days, iv }) => [days, iv, `${days.toFixed(1)} days: ${iv.toFixed(2)} %`]),
    },
  ]
  return { title: 'Term structure', unit: '% at the money, by days to expiry', x, layers }
}

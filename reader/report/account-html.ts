import type { CoverageDay, HourOfKind } from '../../coverage/account/day.js'
import { lengthText, shareText } from '../../coverage/account/wording.js'
import { countText } from '../../platform/figures.js'
import { element, escaped, place } from './svg.js'

const DAY_MS = 86_400_000
/** Gaps by name; the rest is a number. */
const GAPS_SHOWN = 20

/** The account of the day as the page shows it: sentence, real gaps on the day's line, hours by kind, gaps by name. Pure. */
export function accountHtml(day: CoverageDay): string {
  const verdict = day.isEmpty ? 'none' : day.isComplete ? 'good' : 'bad'
  const more = [day.trades, day.healed, day.pending].flatMap(text =>
    text === undefined ? [] : `<p>${escaped(text)}</p>`,
  )
  const parts = [
    `<p class="sentence ${verdict}">${escaped(day.sentence)}</p>`,
    ...more,
    ...(day.isEmpty ? [] : [lineOfDay(day), hoursHtml(day.hours)]),
    gapsHtml(day),
  ]
  return `<section><h2>What is there</h2>${parts.join('')}</section>`
}

const time = (ms: number) => new Date(ms).toISOString().slice(11, 19)

function lineOfDay({ date, events }: CoverageDay): string {
  const startMs = Date.parse(date)
  const x = (ms: number) => (Math.min(DAY_MS, Math.max(0, ms - startMs)) / DAY_MS) * 400
  const gaps = events.map(({ fromMs, toMs, seconds, cause, whose }) => {
    const said = `${time(fromMs)}, ${lengthText(seconds * 1e6)}, ${whose}: ${cause}`
    const box = { x: place(x(fromMs)), y: 2, width: place(Math.max(1, x(toMs) - x(fromMs))), height: 14, class: 'gap' }
    return element('rect', box, `<title>${escaped(said)}</title>`)
  })
  const hours = [0, 6, 12, 18].map(hour => `<span>${String(hour).padStart(2, '0')}:00</span>`)
  const base = element('rect', { x: 0, y: 2, width: 400, height: 14, class: 'base' })
  const label = `${events.length} gaps over the day`
  const box = { viewBox: '0 0 400 18', preserveAspectRatio: 'none', role: 'img', 'aria-label': label }
  return `<div class="day">${element('svg', box, [base, ...gaps].join(''))}<p>${hours.join('')}</p></div>`
}

function hoursHtml(hours: readonly HourOfKind[]): string {
  const areSeveral = new Set(hours.map(({ exchange }) => exchange)).size > 1
  const nameOf = ({ exchange, kind }: HourOfKind) => {
    const name = kind === 'none' ? 'others' : kind
    return areSeveral ? `${exchange} ${name}` : name
  }
  const names = [...new Set(hours.map(nameOf))].sort()
  if (names.length === 0) return ''
  const rows = names.map(name => {
    const cells = Array.from({ length: 24 }, (_, hour) => {
      const found = hours.find(one => nameOf(one) === name && one.hour === hour)
      const when = `${String(hour).padStart(2, '0')}:00, ${name}`
      const said = found
        ? `${when}: ${shareText(found.share)}${found.least === undefined ? '' : ` (${found.least})`}, ${countText(found.channels)} channels`
        : `${when}: nothing was to be recorded`
      return `<td class="${shareClass(found)}" title="${escaped(said)}"></td>`
    })
    return `<tr><th scope="row">${escaped(name)}</th>${cells.join('')}</tr>`
  })
  const note = 'Hours of the day, UTC, by kind, each as complete as the least complete of its data.'
  return `<table class="hours">${rows.join('')}</table><p class="note">${note}</p>`
}

/** The same steps as on the status page. */
function shareClass(hour: HourOfKind | undefined): string {
  if (!hour) return 'share-none'
  if (hour.share === undefined) return 'share-unknown'
  const least = [0.999, 0.99, 0.9, 0.5].findIndex(least => (hour.share ?? 0) >= least)
  return `share-${least < 0 ? 0 : 4 - least}`
}

function gapsHtml({ events, count }: CoverageDay): string {
  if (events.length === 0) return ''
  const longest = events.slice(0, GAPS_SHOWN)
  const rows = longest.map(
    ({ fromMs, seconds, cause, whose }) =>
      `<tr><td>${time(fromMs)}</td><td>${lengthText(seconds * 1e6)}</td><td>${escaped(whose)}</td><td>${escaped(cause)}</td></tr>`,
  )
  const rest = count > longest.length ? `<p class="note">${countText(count - longest.length)} shorter ones.</p>` : ''
  const head = '<tr><th>from</th><th>missing</th><th>what</th><th>why</th></tr>'
  return `<h3>Gaps, the longest first</h3><table class="gaps"><thead>${head}</thead><tbody>${rows.join('')}</tbody></table>${rest}`
}

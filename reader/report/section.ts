import { chartHtml, type Chart } from './chart.js'
import { escaped } from './svg.js'

/** A part of the report: charts under one heading, or why there are none. */
export interface Section {
  title: string
  note?: string
  charts: readonly Chart[]
  /** Said in place of charts. */
  absent?: string
}

/** Pure. */
export function sectionHtml({ title, note, charts, absent }: Section): string {
  const said = note === undefined ? '' : `<p class="note">${escaped(note)}</p>`
  const inner =
    charts.length === 0
      ? `<p class="absent">not there${absent === undefined ? '' : `: ${escaped(absent)}`}</p>`
      : `<div class="charts">${charts.map(chartHtml).join('')}</div>`
  return `<section><h2>${escaped(title)}</h2>${said}${inner}</section>`
}

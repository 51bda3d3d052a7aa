import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CoverageDay } from '../../coverage/account/day.js'
import { packageRoot, version } from '../../platform/package-info.js'
import { accountHtml } from './account-html.js'
import { sectionHtml, type Section } from './section.js'
import { escaped } from './svg.js'

export interface Report {
  /** `2026-11-22` */
  date: string
  /** When it was made, ms since the epoch. */
  atMs: number
  exchanges: readonly string[]
  day: CoverageDay
  sections: readonly Section[]
}

/** Nothing may be fetched and no script runs, whatever a text of others says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

/** The whole report as one file of HTML. */
export function reportHtml({ date, atMs, exchanges, day, sections }: Report): string {
  const css = readFileSync(join(packageRoot, 'reader', 'report', 'report.css'), 'utf8')
  const made = `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
  const whose = exchanges.join(', ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<link rel="icon" href="data:,">
<title>${escaped(`${date} ${whose} – edgetape`)}</title>
<style>
${css}</style>
</head>
<body>
<header><h1>${date}</h1><p>${escaped(whose)}</p><p class="made">edgetape ${escaped(version)}, made ${made}; all times UTC</p></header>
<main>
${[accountHtml(day), ...sections.map(sectionHtml)].join('\n')}
</main>
</body>
</html>
`
}

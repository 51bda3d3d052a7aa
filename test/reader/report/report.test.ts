import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import t from 'tap'
import { commandHere } from '../../fixtures/command-here.js'
import { writeRecording } from '../../fixtures/made-recording.js'
import { openBrowser } from '../../fixtures/browser.js'
import { needs } from '../../fixtures/needs.js'
import { OPTIONS_START_MS, recordOptions } from '../../fixtures/option-recording.js'

const DATE = '2026-11-22'
const NASTY = '<img src=x onerror="document.title=\'broken in\'">'

/** Half a minute of quotes is missing. */
const GAP_S = [120, 150] as const
const isLost = (family: string, atMs: number) => {
  const second = (atMs - OPTIONS_START_MS) / 1000
  return family === 'quote' && second >= GAP_S[0] && second < GAP_S[1]
}

/** The journal of the simulated minutes: all was subscribed, and half a minute of quotes is missing. */
function writeJournal(dataDir: string, channels: readonly string[]): void {
  const atUs = (second: number) => (OPTIONS_START_MS + second * 1000) * 1000
  const gap = {
    event: 'gap',
    conn: 'd1',
    cause: NASTY,
    families: ['quote'],
    from_us: atUs(GAP_S[0]),
    to_us: atUs(GAP_S[1]),
  }
  const clocks = [1, 2, 3, 4, 5].map((minute): [number, object] => [
    60 * minute,
    { event: 'clock', offset_us: 120, drift_us: 3, exchange_offset_us: 1500 * minute, round_trip_us: 900 },
  ])
  const told: [number, object][] = [
    [0.01, { event: 'started' }],
    [0.02, { event: 'subscribed', conn: 'd1', channels }],
    [0.03, { event: 'live', conn: 'd1', channels: channels.length }],
    ...clocks,
    [151, gap],
    [481, { event: 'stopped' }],
  ]
  told.sort((a, b) => a[0] - b[0])
  const frames = told.map(([second, event]) => ({
    ...{ family: 'journal', conn: 'journal', recvUs: Math.round(atUs(second)) },
    frame: JSON.stringify(event),
  }))
  writeRecording(dataDir, frames, { host: 'vps-1' })
}

const dataDir = t.testdir()
const file = join(dataDir, 'report.html')
const ready = (async () => {
  const market = await recordOptions(dataDir, isLost)
  const names = [...market.listings.keys()].filter(name => name.startsWith('BTC-'))
  writeJournal(dataDir, [
    ...names.flatMap(name => [`ticker.${name}.100ms`, `quote.${name}`]),
    'trades.option.BTC.100ms',
    'trades.future.BTC.100ms',
    'book.BTC-PERPETUAL.100ms',
  ])
  return commandHere(['report', '--date', DATE, '--path', dataDir, '--out', file])
})()

const headings = (html: string) => [...html.matchAll(/<h2>([^<]+)/g)].map(([, title]) => title)
/** Titles of charts that have a drawing. */
const drawn = (html: string) =>
  [...html.matchAll(/<figure>.*?<\/figure>/gs)].flatMap(([figure]) =>
    figure.includes('<svg') ? [/<b>([^<]+)/.exec(figure)?.[1]] : [],
  )

t.test('a simulated day as one file: account, prices, options, rates, clocks', { timeout: 180_000 }, async t => {
  const { stdout, stderr, exitCode } = await ready
  t.equal(exitCode, 0, stderr)
  t.match(stdout, /report\.html: [\d.]+ KiB/)
  t.ok(statSync(file).size < 3e6)
  const html = readFileSync(file, 'utf8')
  const titles = headings(html)
  t.equal(titles[0], 'What is there')
  t.ok(titles.includes('deribit BTC-PERPETUAL'), titles.join())
  t.ok(titles.includes('Options: deribit BTC'), titles.join())
  const shown = drawn(html)
  for (const title of ['Price', 'Traded', 'Spread', 'Depth', 'IV smile', 'Term structure', 'deribit ticker'])
    t.ok(shown.includes(title), `${title} is drawn`)
  t.ok(shown.includes('deribit: clocks ahead of the receive clock'), shown.join())
  t.ok(shown.includes('deribit: quotes received after'))
  t.match(html, /Complete but for 30 s|missing 30 s/)
  const [, spread = ''] = /<b>Spread<.*?<path class="line tone-1" d="([^"]+)"/s.exec(html) ?? []
  const xs = [...spread.matchAll(/[ML]([\d.]+) /g)].map(([, x]) => Number(x))
  const widest = Math.max(...xs.slice(1).map((x, index) => x - (xs[index] ?? x)))
  t.ok(widest > (0.8 * 30 * 330) / 300, `half a minute of quotes is blank: ${widest}`)
  t.match(html, /onerror=&quot;/, 'texts of others are shown as texts')
  t.notMatch(html, /NaN|undefined|Infinity/)
  t.notMatch(html, /<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)/)
  t.notMatch(html, /https?:/)
})

t.test('without Parquet and without a market it says what is not there', { timeout: 120_000 }, async t => {
  const folder = t.testdir()
  writeJournal(folder, ['quote.BTC-PERPETUAL'])
  const out = join(folder, 'x.html')
  const made = await commandHere(['report', '--date', DATE, '--path', folder, '--out', out, '--no-fresh'])
  t.equal(made.exitCode, 0, made.stderr)
  t.match(readFileSync(out, 'utf8'), /What is there.*not there: neither Parquet nor raw data is here/s)
  const fresh = await commandHere(['report', '--date', DATE, '--path', folder, '--out', out])
  t.equal(fresh.exitCode, 0, fresh.stderr)
  const html = readFileSync(out, 'utf8')
  t.match(html, /not there: no trades/)
  t.match(html, /not there: no tickers of options/)
  t.ok(drawn(html).includes('deribit: clocks ahead of the receive clock'))
  const other = await commandHere(['report', '--date', '2026-11-20', '--path', folder, '--out', out])
  t.match(other.stderr, /nothing was recorded on 2026-11-20\n.*hint: .* has files of 2026-11-2\d/)
  t.not(other.exitCode, 0)
})

const pageOf = (page: Page, script: string) => page.evaluate<string | number>(script)

t.test('a browser shows it on a phone, a desk and paper, light and dark', { timeout: 240_000 }, async t => {
  if (!needs(t, 'chromium')) return
  await ready
  const browser = await openBrowser(t)
  const colours = new Set<string | number>()
  for (const width of [360, 1400]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 800 } })
      const complaints: string[] = []
      const asked: string[] = []
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('request', request => asked.push(request.url()))
      await page.goto(pathToFileURL(file).href)
      t.same(complaints, [], `${width} ${colorScheme}: nothing to complain of`)
      t.same(
        asked.filter(url => !url.startsWith('data:')),
        [pathToFileURL(file).href],
        'nothing else is asked for',
      )
      t.equal(await pageOf(page, 'document.documentElement.scrollWidth'), width, 'nothing sticks out')
      const least = `Math.min(...[...document.querySelectorAll('figure svg text')].map(
        text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a))`
      t.ok(Number(await pageOf(page, least)) > 9, 'its texts can be read')
      t.match(await page.title(), /^2026-11-22 deribit/)
      colours.add(await pageOf(page, 'getComputedStyle(document.body).backgroundColor'))
      if (width === 1400 && colorScheme === 'dark') {
        await page.emulateMedia({ media: 'print', colorScheme })
        t.equal(await pageOf(page, 'getComputedStyle(document.body).backgroundColor'), 'rgb(255, 255, 255)', 'on paper')
      }
    }
  }
  t.equal(colours.size, 2)
})

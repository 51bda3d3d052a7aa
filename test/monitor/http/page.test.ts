import { createServer, type Server } from 'node:http'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { readPage } from '../../../monitor/http/page.js'
import { serve } from '../../../monitor/http/serve.js'
import { configSchema } from '../../../config/schema.js'
import { createLogger } from '../../../platform/log.js'
import { packageRoot } from '../../../platform/package-info.js'
import { writeStatus } from '../../../formats/status.js'
import { withEnvironment } from '../../fixtures/environment.js'
import { writeRecording } from '../../fixtures/made-recording.js'
import { needs, needsThat } from '../../fixtures/needs.js'
import { openBrowser } from '../../fixtures/browser.js'
import { coverageDay, coverageEvent } from '../../fixtures/coverage-day.js'
import { matchAll } from '../../fixtures/match-all.js'

// Mostly waits.

withEnvironment(t, { EDGETAPE_LOG: 'silent' })

const iso = (ms: number) => new Date(ms).toISOString()
const NASTY = '<img src=x onerror="document.title=\'broken in\'">'

/** @param wrong what goes on besides */
function writeParts(dataDir: string, text: string, wrong: { compactor?: object; syncer?: object } = {}): void {
  const nowMs = Date.now()
  writeStatus(dataDir, 'recorder', {
    exchange: 'deribit',
    host: 'vps-ldn-1',
    run: 'r1',
    started_at: iso(nowMs - 3_600_000),
    written_at: iso(nowMs),
    families: {
      quote: { frames: 1000 + (nowMs % 1e6), bytes: 5000, last_frame_at: iso(nowMs), lag_ms: 31 },
      trades: { frames: 10, bytes: 5000, last_frame_at: iso(nowMs) },
    },
    exchange_offset_us: -2500,
    shown: [
      { name: 'BTC-PERPETUAL', price: 90_000.5, bid: 90_000, ask: 90_002.5, at: iso(nowMs) },
      { name: 'BTC-27NOV26', iv: 51.25, at: iso(nowMs) },
    ],
    connections: [
      { name: 'd1', state: 'live', frames: 101, channels: 3, last_frame_at: iso(nowMs), reconnects: 2 },
      { name: 'd2', state: 'waiting', frames: 0, channels: 0, last_error: text },
    ],
  })
  writeStatus(dataDir, 'compactor', { backlog_segments: 2, ...wrong.compactor })
  writeStatus(dataDir, 'syncer', {
    state: 'idle',
    target: '/nas',
    backlog_files: 5,
    oldest_unverified_age_s: 0,
    ...wrong.syncer,
  })
}

const report = { date: '2026-11-22', path: 'reports/date=2026-11-22/report-vps-ldn-1.html' }

async function servedPage(
  t: Test,
  text = NASTY,
): Promise<{ url: string; dataDir: string; wrong: { compactor?: object; syncer?: object } }> {
  const dataDir = t.testdir()
  const atUs = (Date.now() - 120_000) * 1000
  const gap = { event: 'gap', conn: 'd1', cause: text, from_us: atUs, to_us: atUs + 60_000_000, families: ['quote'] }
  const told: [number, object][] = [
    [-30, { event: 'started' }],
    [-29, { event: 'subscribed', conn: 'd1', channels: ['quote.BTC-PERPETUAL', 'trades.BTC-PERPETUAL.100ms'] }],
    [-28, { event: 'live', conn: 'd1', channels: 2 }],
    [61, gap],
    [90, { event: 'subscribed', conn: 'd1', channels: ['quote.BTC-PERPETUAL'] }],
    [91, { event: 'live', conn: 'd1', channels: 2 }],
  ]
  writeRecording(
    dataDir,
    told.map(([second, event]) => ({
      family: 'journal',
      conn: 'journal',
      recvUs: atUs + second * 1e6,
      frame: JSON.stringify(event),
    })),
  )
  writeParts(dataDir, text)
  mkdirSync(dirname(join(dataDir, report.path)), { recursive: true })
  writeFileSync(join(dataDir, report.path), '<!doctype html><title>that day</title>')
  const wrong = {}
  const beat = setInterval(() => writeParts(dataDir, text, wrong), 500)
  const config = configSchema.parse({ exchange: { name: 'deribit' }, dataDir, http: { port: 0 } })
  const stop = new AbortController()
  const url = await new Promise<string>((resolve, reject) => {
    const ended = serve({ config, log: createLogger('test'), signal: stop.signal, onListening: resolve })
    ended.catch(reject)
    t.teardown(async () => {
      clearInterval(beat)
      stop.abort()
      await ended
    })
  })
  return { url, dataDir, wrong }
}

/** What the browser had to say against a page, and what it asked of whom. */
function listenTo(page: Page): { complaints: string[]; asked: string[] } {
  const heard = { complaints: [] as string[], asked: [] as string[] }
  page.on('console', message => heard.complaints.push(message.text()))
  page.on('pageerror', error => heard.complaints.push(error.message))
  page.on('request', request => heard.asked.push(request.url()))
  return heard
}

t.test('shows what goes on, light and dark, on a phone and a desk', { timeout: 120_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const { url, dataDir } = await servedPage(t)
  const page = await (await openBrowser(t)).newPage({ colorScheme: 'light', viewport: { width: 1200, height: 900 } })
  const heard = listenTo(page)
  const hours = [
    { exchange: 'deribit', kind: 'option', hour: 0, channels: 1234, share: 0.9425, least: 'quotes' },
    { exchange: 'deribit', kind: 'spot', hour: 1, channels: 7 },
  ]
  const day = coverageDay(report.date, Date.parse('2026-11-23T03:00:00Z'), {
    hours,
    healedCount: 2,
    events: [coverageEvent(Date.parse('2026-11-22T00:10:00Z'))],
  })
  await page.route('**/api/coverage', route => route.fulfill({ json: [day] }))
  await page.goto(url)
  await page.getByText('recording', { exact: true }).waitFor()
  t.equal(await page.locator('#pill').getAttribute('class'), 'pill good')
  t.match(await page.locator('#where').textContent(), 'vps-ldn-1')
  t.match(await page.locator('#parts').textContent(), /recorderrunning.*compactorrunning.*syncerrunning/)
  t.same(await page.locator('#families b').allTextContents(), ['quote', 'trades'])
  await page.locator('#families .spark polyline').first().waitFor({ state: 'attached' })
  const shown = page.locator('#exchanges .shown > span')
  t.same(await shown.allTextContents(), [
    ...['BTC-PERPETUAL', '90,000.5', 'BTC-PERPETUAL spread', '2.5', 'BTC-27NOV26 IV at the money', '51.3 %'],
    ...['receive lag', '31 ms', 'its clock ahead', '-2.5 ms'],
  ])
  t.equal(await page.locator('#exchanges .spark').count(), 5, 'a line for each')
  t.match(
    await page.locator('#exchanges .facts').textContent(),
    /^last frame .* ago.* frames\/s1 of 2 connections live$/,
  )
  const spark = page.locator('#exchanges .spark').first()
  const { width = 0 } = (await spark.boundingBox()) ?? {}
  await spark.hover({ position: { x: width - 1, y: 5 } })
  await page.getByText(/^deribit BTC-PERPETUAL at \d\d:\d\d:\d\d: 90,000\.5$/).waitFor()
  t.match(
    await page.locator('#versions').textContent(),
    /^edgetape \d.*segments of format 1, tables of schema version 1$/,
  )
  matchAll(t, await page.locator('#connections tr').allTextContents(), [/^d1live.*23$/, /^d2waiting/])
  await page.getByText('Complete but for 60 s').first().waitFor()
  t.match(await page.locator('#longest').textContent(), /^60 s.*quote BTC-PERPETUAL: /)
  const mark = page.locator('#lanes button')
  t.equal(await mark.count(), 1)
  for (const point of ['hover', 'focus', 'tap'] as const) {
    await page.locator('#mark-text').evaluate('element => element.replaceChildren()')
    await (point === 'tap' ? mark.click() : mark[point]())
    const text = await page.locator('#mark-text').textContent()
    t.match(text, /^\d{4}-.* to \d\d:\d\d:\d\d, 60 s: missing; .*; quote BTC-PERPETUAL$/, `by ${point}`)
    await page.mouse.move(0, 0)
    await mark.blur()
  }
  t.match(await page.locator('#disk').textContent(), /free/)
  t.match(await page.locator('#sync').textContent(), /5 files wait.*to \/nas/)
  t.ok((await page.locator('#connections').textContent())?.includes(NASTY), 'texts of others are shown as texts')
  await page.getByRole('button', { name: 'the day before' }).click()
  t.equal(await page.locator('#day').textContent(), report.date)
  await page.getByRole('button', { name: 'the day before' }).click()
  await page.locator('#day-before:disabled').waitFor()
  t.equal(await page.locator('#day').textContent(), report.date, 'nothing is there before')
  const cell = page.locator('#heat .cell')
  await cell.and(page.locator('.share-2')).waitFor()
  t.equal(await cell.count(), 6 * 24)
  t.equal(await cell.nth(0).getAttribute('title'), '00:00, option: 94.2 % (quotes), 1,234 channels')
  t.equal(await cell.nth(3 * 24 + 1).getAttribute('title'), '01:00, spot: not known, 7 channels')
  t.equal(await cell.nth(5).getAttribute('title'), '05:00, option: nothing was to be recorded')
  await cell.nth(0).click()
  // The page follows a link a moment later than the click is done.
  await page.locator('#heat-text:not(:empty)').waitFor()
  t.match(
    await page.locator('#heat-text').textContent(),
    /94\.2 %.*2026-11-22 00:10:00 to 00:11:00, 60 s: missing; reset/,
  )
  const link = page.url()
  t.match(link, /#gaps=2026-11-22T00\/deribit\/option$/)
  await cell.nth(0).focus()
  await page.keyboard.press('ArrowRight')
  t.match(await page.evaluate('document.activeElement.ariaLabel'), /^01:00, spot/, 'arrows go from hour to hour')
  await page.keyboard.press('Enter')
  await page.getByText('01:00, spot: not known, 7 channels', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'the day after' }).click()
  t.match(await page.locator('#day').textContent(), /, today$/)
  await page.goto('about:blank')
  await page.goto(link)
  await page.locator('#heat-text').getByText('60 s: missing; reset').waitFor()
  t.equal(await page.locator('#day').textContent(), report.date, 'a link leads to its gaps')
  t.match(await page.title(), /^edgetape vps-ldn-1$/)

  const colours: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    colours.push(await page.evaluate('getComputedStyle(document.body).backgroundColor'))
  }
  t.not(colours[0], colours[1])
  await page.setViewportSize({ width: 360, height: 740 })
  t.equal(await page.evaluate('document.documentElement.scrollWidth'), 360, 'nothing sticks out on a phone')

  await page.getByRole('link', { name: `Report of ${report.date}` }).click()
  await page.waitForURL('**/report?path=*')
  t.equal(await page.title(), 'that day', 'the report of a day that lies here')
  t.equal((await fetch(`${url}/report?path=state/recorder.json`)).status, 404, 'and nothing else')

  writeStatus(dataDir, 'syncer', { pid: 2 ** 22 + 1 })
  t.same(heard.complaints, [], 'the policy allows all that the page does')
  t.same([...new Set(heard.asked.map(asked => new URL(asked).host))], [new URL(url).host], 'no other host is asked')
})

t.test('answers three questions before one scrolls, and axe-core finds nothing', { timeout: 120_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const axe = join(packageRoot, 'node_modules', 'axe-core', 'axe.min.js')
  if (!needsThat(t, existsSync(axe), 'needs axe-core: npm ci')) return
  const { url, wrong } = await servedPage(t)
  const browser = await openBrowser(t)
  const page = await browser.newPage({ viewport: { width: 360, height: 740 } })
  const heard = listenTo(page)
  await page.goto(url)
  await page.getByText('Complete but for 60 s').first().waitFor()
  const shots = join(packageRoot, '.tap', 'screenshots')
  mkdirSync(shots, { recursive: true })
  for (const colorScheme of ['light', 'dark'] as const)
    for (const [width, height] of [
      [360, 740],
      [800, 1100],
      [1400, 900],
    ] as const) {
      await page.emulateMedia({ colorScheme })
      await page.setViewportSize({ width, height })
      const what = `${width} px, ${colorScheme}`
      for (const selector of ['#pill', '#signs', '#troubles', '#sentence', '#longest li']) {
        const box = await page.locator(selector).first().boundingBox()
        t.ok(box && box.y + box.height <= height && box.x + box.width <= width, `${selector} at ${what}`)
      }
      t.equal(await page.evaluate('document.documentElement.scrollWidth'), width, `nothing sticks out at ${what}`)
      await page.screenshot({ path: join(shots, `page-${width}-${colorScheme}.png`), fullPage: true })
      // Not as a script of the page, whose policy keeps others out.
      await page.evaluate(`${readFileSync(axe, 'utf8')}; undefined`)
      const found = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)')
      t.same(
        found.map(({ id, nodes }) => [id, nodes[0]?.html]),
        [],
        `axe-core at ${what}`,
      )
    }
  t.ok(
    heard.asked.some(asked => asked.endsWith('/api/events')),
    'live by events',
  )
  wrong.compactor = { failing: 2, last_error: NASTY }
  await page.getByText('edgetape verify raw').waitFor()
  wrong.syncer = { pid: 2 ** 22 + 1 }
  await page.locator('.pill.bad').getByText('recording, the syncer is dead').waitFor()
})

t.test('days back by arrows ended after a week: the files tell of any day', { timeout: 120_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const { url, dataDir } = await servedPage(t)
  const dates = [9, 40].map(ago => iso(Date.now() - ago * 86_400_000).slice(0, 10))
  for (const date of dates) {
    const atUs = Date.parse(`${date}T10:00:00Z`) * 1000
    const told: [number, object][] = [
      [0, { event: 'started' }],
      [1, { event: 'subscribed', conn: 'd1', channels: ['quote.BTC-PERPETUAL'] }],
      [2, { event: 'live', conn: 'd1', channels: 1 }],
      [30, { event: 'stopped' }],
    ]
    const entries = told.map(([second, event]) => ({
      ...{ family: 'journal', conn: 'journal', recvUs: atUs + second * 1e6, frame: JSON.stringify(event) },
    }))
    writeRecording(dataDir, entries, { run: date.replaceAll('-', '') })
  }
  const page = await (await openBrowser(t)).newPage()
  const heard = listenTo(page)
  await page.goto(url)
  await page.locator('#day').getByText(', today').waitFor()
  const before = page.getByRole('button', { name: 'the day before' })
  for (const date of dates) {
    // Days of the last week that are empty are stepped over, once they are measured.
    await before.click()
    await page.locator('#day').getByText(date, { exact: true }).waitFor()
    t.ok(await page.locator('#heat a[title^="10:00, "]').count(), `the hours of ${date}`)
  }
  await before.click()
  await page.locator('#day-before:disabled').waitFor()
  t.equal(await page.locator('#day').textContent(), dates[1], 'the first')
  await page.getByRole('button', { name: 'the day after' }).click()
  t.equal(await page.locator('#day').textContent(), dates[0])
  t.same(heard.complaints, [])
  const { status } = await fetch(`${url}/api/coverage?before=yesterday`)
  t.equal(status, 400)
})

t.test('the picture in the README is one of this page', { timeout: 120_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const { url } = await servedPage(t, 'reset')
  const viewport = { width: 1000, height: 700 }
  const page = await (await openBrowser(t)).newPage({ viewport, colorScheme: 'light' })
  await page.goto(url)
  await page.getByText('Complete but for 60 s').first().waitFor()
  await page.locator('#families .spark polyline').first().waitFor({ state: 'attached' })
  const path = join(packageRoot, '.tap', 'screenshots', 'status-page.png')
  mkdirSync(dirname(path), { recursive: true })
  const taken = await page.screenshot({ path })
  const kept = readFileSync(join(packageRoot, 'docs', 'status-page.png'))
  const size = (png: Buffer) => png.subarray(0, 24).toString('hex')
  t.equal(size(kept), size(taken), `a PNG of the same size; to renew it: cp ${path} docs/`)
  t.match(readFileSync(join(packageRoot, 'README.md'), 'utf8'), /!\[[^\]]+\]\(docs\/status-page\.png\)/)
})

interface Violation {
  id: string
  nodes: { html: string }[]
}

t.test('the policy keeps out any other script or style', { timeout: 60_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const { headers, body } = readPage()
  const addition = '<b id="styled" style="color:rgb(1,2,3)">x</b><script>document.title = "broken in"</script>'
  const html = String(body).replace('</main>', `${addition}</main>`)
  const server = await new Promise<Server>(resolve => {
    const made = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html', ...headers }).end(html)
    }).listen(0, '127.0.0.1', () => resolve(made))
  })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const page = await (await openBrowser(t)).newPage()
  const heard = listenTo(page)
  await page.goto(`http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/`)
  await page.locator('#styled').waitFor()
  t.not(await page.title(), 'broken in')
  t.not(await page.locator('#styled').evaluate('element => getComputedStyle(element).color'), 'rgb(1, 2, 3)')
  t.match(heard.complaints.join('\n'), /Content Security Policy/)
})

t.test('one file that asks nobody else', t => {
  const html = readFileSync(join(packageRoot, 'monitor', 'http', 'page.html'), 'utf8')
  t.notMatch(html, /<(?:script|link|img|iframe)[^>]+(?:src|href)="(?!data:)/)
  t.notMatch(html, /https?:\/\/(?!www\.w3\.org\/2000\/svg)/)
  t.notMatch(html, /innerHTML|outerHTML|insertAdjacentHTML|document\.write/)
  t.notMatch(html, /\sstyle="/)
  const pkg = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { files: string[] }
  t.ok(pkg.files.includes('monitor/http/page.html'), 'and is in the package')
  t.end()
})

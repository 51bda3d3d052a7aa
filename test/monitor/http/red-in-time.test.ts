/** The page of a whole `run`, in a browser: red in time. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { monitorStatus, recorderStatus } from '../../../formats/part-status.js'
import { readPulse } from '../../../formats/pulse.js'
import { readStatus } from '../../../formats/status.js'
import { History } from '../../../monitor/http/history.js'
import { openBrowser } from '../../fixtures/browser.js'
import { cliMain } from '../../fixtures/cli.js'
import { needs } from '../../fixtures/needs.js'
import { numberedExchange } from '../../fixtures/numbered-exchange.js'
import { until } from '../../fixtures/recorder-process.js'
import { seenAt } from '../../fixtures/seen-rate.js'

// Mostly waits.

/** Of an hour and a half that ended a moment ago: 8 to 18 frames a second. */
async function keepPast(dataDir: string): Promise<void> {
  mkdirSync(join(dataDir, 'state'), { recursive: true })
  const history = new History(dataDir)
  const steps = 18 * 60
  for (let step = 0; step < steps; step++)
    history.note(seenAt(Date.now() - 5000 * (steps - step), 8 + (Math.floor(step / 60) % 11)))
  await history.saveLast(5000)
}

t.test('red within 15 s of a dead exchange, and of a part that stands still', { timeout: 180_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const folder = t.testdir({})
  const exchange = await numberedExchange({ perSecond: 50 })
  t.teardown(() => exchange.close())
  const dataDir = join(folder, 'data')
  const config = join(folder, 'edgetape.yaml')
  writeFileSync(
    config,
    JSON.stringify({ host: 'vps1', dataDir, exchange: { name: 'deribit', url: exchange.url }, http: { port: 0 } }),
  )
  await keepPast(dataDir)
  const run = execa(process.execPath, [cliMain, 'run', '--config', config], { stdio: 'ignore', reject: false })
  t.teardown(async () => {
    run.kill('SIGTERM')
    await run
  })
  const url = () => monitorStatus.parse(readStatus(dataDir, 'monitor') ?? {}).url
  await until('the page is served', () => url() !== undefined && readPulse(dataDir, 'compactor') !== undefined)
  const page = await (await openBrowser(t)).newPage()
  await page.goto(url() ?? '')
  await page.locator('.pill.good').waitFor()
  // A fourth of 50 frames a second, beside what they were for an hour.
  const card = page.locator('#families .card', { hasText: 'quote' })
  await card.getByText('usually 8 to 18', { exact: true }).waitFor()
  const middle = async (selector: string) => {
    const { y = NaN, height = NaN } = (await card.locator(selector).last().boundingBox()) ?? {}
    return { y, bottom: y + height, middle: y + height / 2 }
  }
  await card.locator('.line').last().waitFor({ state: 'attached' })
  const [band, line] = [await middle('.usual'), await middle('.line')]
  t.ok(line.middle > band.y - 2 && line.middle < band.bottom + 2, 'what was recorded is drawn near what is usual')

  const pid = readPulse(dataDir, 'compactor')?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  // So that `run` can end it; where that was too slow, it is another's place by now.
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  exchange.channels = []
  /** The look at which the page first was so by its own clock, and the one before: on a machine without CPU looks come late. */
  const looksAt = async (wanted: RegExp) => {
    const looks = await page.evaluate<[string, string]>(`new Promise(resolve => {
      const when = document.querySelector('#when')
      let before = when.textContent
      new MutationObserver((_changes, observer) => {
        const text = (document.querySelector('.pill.bad')?.textContent ?? '') + document.querySelector('#parts').textContent
        if (${String(wanted)}.test(text)) {
          observer.disconnect()
          resolve([before, when.textContent])
        }
        before = when.textContent
      }).observe(when, { childList: true })
    })`)
    const [before = NaN, red = NaN] = looks.map(look => Date.parse(look.replace(' UTC', 'Z').replace(' ', 'T')) / 1000)
    return { before, red }
  }
  const still = looksAt(/compactorstands still/)
  const silent = looksAt(/^no data for/)
  const judge = ({ before, red }: Awaited<typeof still>, lastMs: number, limitS: number, what: string) => {
    const lastS = lastMs / 1000
    t.ok(before - lastS <= limitS, `${what}: ${before - lastS} s after its last word the page waited still`)
    const lateS = Math.max(0, red - before - 1)
    t.ok(red - lastS > limitS - 2 && red - lastS - lateS <= 15, `${what}: red after ${red - lastS} s`)
  }
  judge(await still, Date.parse(readPulse(dataDir, 'compactor')?.at ?? ''), 10, 'the compactor that stands still')
  const silence = await silent
  const { families } = recorderStatus.parse(readStatus(dataDir, 'recorder'))
  judge(silence, families['quote']?.last_frame_at ?? 0, 12, 'the exchange that is dead')
})

/** The page of a whole `run`, in a browser: red in time. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { monitorStatus, recorderStatus } from '../../../formats/part-status.js'
import { readPulse } from '../../../formats/pulse.js'
import { readStatus } from '../../../formats/status.js'
import { openBrowser } from '../../fixtures/browser.js'
import { cliMain } from '../../fixtures/cli.js'
import { needs } from '../../fixtures/needs.js'
import { numberedExchange } from '../../fixtures/numbered-exchange.js'
import { until } from '../../fixtures/recorder-process.js'

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

  const pid = readPulse(dataDir, 'compactor')?.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  // So that `run` can end it; where that was too slow, it is another's place by now.
  t.teardown(() => process.kill(pid, 'SIGCONT'))
  exchange.channels = []
  /** When the page itself says that it first was so. */
  const whenSaid = async (wanted: RegExp) => {
    const said = await page.evaluate<string>(`new Promise(resolve => {
      const timer = setInterval(() => {
        const text = (document.querySelector('.pill.bad')?.textContent ?? '') + document.querySelector('#parts').textContent
        if (!${String(wanted)}.test(text)) return
        clearInterval(timer)
        resolve(document.querySelector('#when').textContent)
      }, 50)
    })`)
    return Date.parse(said.replace(' UTC', 'Z').replace(' ', 'T'))
  }
  const still = whenSaid(/compactorstands still/)
  const silent = whenSaid(/^no data for/)
  const stoodStillS = ((await still) - Date.parse(readPulse(dataDir, 'compactor')?.at ?? '')) / 1000
  t.ok(stoodStillS > 8 && stoodStillS <= 15, `the compactor stands still: red after ${stoodStillS} s`)
  const { families } = recorderStatus.parse(readStatus(dataDir, 'recorder'))
  const silentS = ((await silent) - (families['quote']?.last_frame_at ?? 0)) / 1000
  t.ok(silentS > 10 && silentS <= 15, `the exchange is dead: red after ${silentS} s`)
})

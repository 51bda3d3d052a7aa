/** What happens to a recording under way: how long it takes until `coverage`, `status`, the metrics and the page in a browser tell it. */
import { availableParallelism } from 'node:os'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { readStatus } from '../../formats/status.js'
import { openBrowser } from '../fixtures/browser.js'
import { cliMain } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { freePort } from '../fixtures/free-port.js'
import { journalText } from '../fixtures/kill-rounds.js'
import { needs } from '../fixtures/needs.js'
import { until } from '../fixtures/recorder-process.js'
import { machineWorkedMs } from '../processor-seconds.js'

const WITHIN_MS = 10_000
/** Where others have the machine, it says nothing but that it comes at all. */
const WITHIN_MS_STARVED = 120_000
/** By themselves the programs of this test leave a third of two processors; the load average tells of a minute, and too late. */
const BUSY = 0.9

const FEW = ['trades', 'quote', 'book', 'ticker']
const NONE = { future: [], option: [], spot: [], combo: [], index: [], exchange: [] }

/** How many gaps a sentence tells of; undefined where it tells of nothing yet. */
function gapsIn(sentence: string | null | undefined): number | undefined {
  if (!sentence?.startsWith('Complete') && !sentence?.startsWith('Incomplete')) return undefined
  if (!/but for|missing/.test(sentence)) return 0
  return Number(/in ([\d,]+) gaps/.exec(sentence)?.[1] ?? 1)
}

t.test('within ten seconds everybody tells of what happened', { timeout: 400_000 }, async t => {
  if (!needs(t, 'chromium')) return
  const folder = t.testdir()
  const dataDir = join(folder, 'data')
  const exchange = await startSimulator({ rate: 150, instruments: 4, newInstrumentEveryMs: 0 })
  t.teardown(() => exchange.close())
  const port = await freePort()
  const config = join(folder, 'edgetape.yaml')
  const channels = { ...NONE, perpetual: FEW }
  const market = { name: 'deribit', url: exchange.url, currencies: ['BTC'], channels }
  const segments = { rotateMinutes: 60, flushMs: 200, fsyncMs: 500 }
  writeFileSync(config, JSON.stringify({ host: 'vps', dataDir, exchange: market, segments, http: { port } }))

  const page = await (await openBrowser(t)).newPage()
  // Parts that are still ending must not keep a pipe open that this test waits for.
  const how = { stdio: 'ignore', reject: false, forceKillAfterDelay: 60_000 } as const
  const run = execa(process.execPath, [cliMain, 'run', '--config', config], how)
  t.teardown(async () => {
    run.kill('SIGTERM')
    await run
  })
  const beganMs = performance.now()

  const url = `http://127.0.0.1:${port}`
  const sentenceIn = (text: string) => /"sentence": ?"([^"]*)"/.exec(text)?.[1]
  const places: Record<string, () => Promise<number | undefined>> = {
    coverage: async () => gapsIn(sentenceIn((await commandHere(['coverage', '--path', dataDir, '--json'])).stdout)),
    status: async () => gapsIn(sentenceIn((await commandHere(['status', '--config', config, '--json'])).stdout)),
    metrics: async () => {
      const text = await fetch(`${url}/metrics`).then(
        answer => answer.text(),
        () => '',
      )
      const found = /^edgetape_gaps_recent\{state="missing"\} (\d+)$/m.exec(text)?.[1]
      return found === undefined ? undefined : Number(found)
    },
    page: async () => {
      if (!page.url().startsWith(url)) await page.goto(url).catch(() => undefined)
      return page.url().startsWith(url) ? gapsIn(await page.locator('#sentence').textContent()) : undefined
    },
  }
  /** Asks them all until each tells of so many gaps; how long each took, in seconds. */
  async function told(what: string, gaps: number, sinceMs: number): Promise<void> {
    const workedMs = machineWorkedMs()
    const began = performance.now()
    const took = await Promise.all(
      Object.entries(places).map(async ([place, ask]) => {
        for (;;) {
          const found = await ask()
          const ms = performance.now() - sinceMs
          if (found !== undefined && found >= gaps) return [place, ms] as const
          if (ms > WITHIN_MS_STARVED) return [place, Infinity] as const
          await delay(100)
        }
      }),
    )
    const share = (machineWorkedMs() - workedMs) / (performance.now() - began) / availableParallelism()
    const busy = `processors busy ${Math.round(100 * share)} %`
    t.comment(`${what}, ${busy}: ${took.map(([place, ms]) => `${place} ${(ms / 1000).toFixed(1)} s`).join(', ')}`)
    const within = share > BUSY ? WITHIN_MS_STARVED : WITHIN_MS
    for (const [place, ms] of took) t.ok(ms <= within, `${what}: ${place} within ${within / 1000} s, ${ms} ms`)
  }

  await told('that it began, and nothing is missing', 0, beganMs)
  const first = await commandHere(['coverage', '--path', dataDir])
  t.match(first.stdout, /^Complete: \d+ channels/, 'from the first seconds, without Parquet')
  t.equal(first.exitCode, 0)
  // The page's day may have been measured so late that nothing of it was open; who asks now asks of this second.
  const open = /^Not yet known: .*the last seconds/m
  let { stdout: text } = first
  for (const untilMs = performance.now() + WITHIN_MS_STARVED; !open.test(text) && performance.now() < untilMs;)
    text = (await commandHere(['coverage', '--path', dataDir])).stdout
  t.match(text, open, 'what nobody can know yet is told to be so')

  const { faults } = exchange
  const heard = (event: string) => journalText(dataDir).split(`"event":"${event}"`).length
  const killed = () => process.kill(Number(readStatus(dataDir, 'recorder')?.['pid']), 'SIGKILL')
  const dropped = () => faults.inject({ type: 'drop', channel: 'book.BTC-PERPETUAL.100ms' })
  /** What ends each: a gap that the next one begins in is told as one with it. */
  const events: [what: string, happens: () => void, ends: string][] = [
    ['a connection cut', () => faults.inject({ type: 'close' }), 'live'],
    ['a change of a book dropped', dropped, 'resync'],
    ['a recorder killed', killed, 'live'],
  ]
  for (const [place, [what, happens, ends]] of events.entries()) {
    const sinceMs = performance.now()
    const before = heard(ends)
    happens()
    await told(what, place + 1, sinceMs)
    await until(`${what}: it is over`, () => heard(ends) > before, WITHIN_MS_STARVED)
    const frames = () => Number(readStatus(dataDir, 'recorder')?.['frames'] ?? 0)
    const taken = frames()
    await until('more frames', () => frames() !== taken, WITHIN_MS_STARVED)
  }
  const last = await commandHere(['coverage', '--path', dataDir])
  t.equal(last.exitCode, 4, 'something is missing')
})

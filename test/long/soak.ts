/**
 * The whole product (`edgetape run`) against an exchange that sends 2,000 frames a second, with a disturbance each minute
 * (in a short run, twice a minute): the connection ends, the NAS goes away, a part is killed. At the end every frame that was sent is a row on the NAS, once,
 * or lies in a gap that coverage tells of; only kills of the recorder and lost connections may leave such gaps.
 * `small-vps` is the same on a machine of one core and 1 GB, undisturbed, with the account of the day asked for each minute:
 * no frame may be missing, nothing run out of memory.
 */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { execa } from 'execa'
import t from 'tap'
import { measureAsked } from '../../coverage/account/measure.js'
import { summaryOf } from '../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../exchanges/registry.js'
import { exitCodes } from '../../cli/exit-codes.js'
import { plainTable } from '../../cli/table.js'
import { packageRoot } from '../../platform/package-info.js'
import { readStatus, type Part } from '../../formats/status.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { hasErrno } from '../../platform/edge-error.js'
import { descendantsOf } from '../../platform/process-tree.js'
import { cpuSecondsOf } from '../../bench/recorder/processes.js'
import { needsThat } from '../fixtures/needs.js'
import { ProcessWatch, slopeMiBPerHour } from '../fixtures/process-watch.js'
import { until } from '../fixtures/recorder-process.js'
import { smallMachine, type SmallMachine } from '../fixtures/small-machine.js'
import { stampedExchange, type StampedExchange } from '../fixtures/stamped-exchange.js'

const FRAMES_PER_SECOND = 2000
const { values, positionals } = parseArgs({ options: { minutes: { type: 'string' } }, allowPositionals: true })
const IS_SMALL = positionals.includes('small-vps')
const SMALL_MIB = 1024
const MINUTES = Number(values.minutes ?? 2)
const NAS_AWAY_MS = 15_000
const FLUSH_MS = 250
/** A kill of the recorder may cost what was not flushed, and what was on its way: on a busy machine a second of it. */
const FRAMES_PER_KILL_MAX = (4 * FLUSH_MS * FRAMES_PER_SECOND) / 1000
/** Two minutes, too, should have seen each kind. */
const DISTURB_EVERY_S = MINUTES < 5 ? 30 : 60
/** A process has taken what it needs by then; its memory is measured from there on. */
const SETTLED_AFTER_S = 300
/** Shorter lives say nothing about an hour. */
const SLOPE_OVER_S = 600
const SLOPE_MIB_PER_HOUR_MAX = 40
const LOOK_EVERY_MS = 1000
const PARTS: readonly Part[] = ['recorder', 'compactor', 'syncer']

t.setTimeout((MINUTES + 15) * 60_000)

const main = join(packageRoot, 'dist', 'cli', 'main.js')

interface Place {
  dataDir: string
  nas: string
  config: string
  log: string
}

function prepare(root: string, url: string): Place {
  const [dataDir, nas, config] = [join(root, 'data'), join(root, 'nas'), join(root, 'edgetape.yaml')]
  mkdirSync(dataDir)
  const none: string[] = []
  const exchange = {
    name: 'deribit',
    url,
    channels: { perpetual: ['quote', 'ticker'], future: none, option: none, spot: none, combo: none, index: none },
  }
  const values = {
    host: 'soak',
    dataDir,
    exchange,
    // Many segments, so that an hour shows what days would; but a small machine is to rest in between.
    segments: { rotateMinutes: IS_SMALL ? 1 : 0.25, flushMs: FLUSH_MS },
    sync: { target: nas, everyMinutes: 0.05, graceMinutes: 0 },
    retention: { minFreeGiB: 0 },
    http: { port: 0 },
  }
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(values))
  return { dataDir, nas, config, log: join(root, 'run.log') }
}

const pidOf = (dataDir: string, part: Part) => Number(readStatus(dataDir, part)?.['pid'] ?? 0)

type Disturbance = (exchange: StampedExchange, place: Place) => Promise<string>

const kill =
  (part: Part): Disturbance =>
  (_exchange, { dataDir }) => {
    process.kill(pidOf(dataDir, part), 'SIGKILL')
    return Promise.resolve(`killed the ${part}`)
  }

const disconnect: Disturbance = exchange => {
  exchange.disconnect()
  return Promise.resolve('ended the connection')
}

const nasAway: Disturbance = async (_exchange, { nas }) => {
  renameSync(nas, `${nas}.away`)
  await delay(NAS_AWAY_MS)
  renameSync(`${nas}.away`, nas)
  return `NAS away for ${NAS_AWAY_MS / 1000} s`
}

/** One after the other, over and over; … */
const DISTURBANCES: readonly Disturbance[] = [
  disconnect,
  nasAway,
  kill('recorder'),
  kill('compactor'),
  disconnect,
  nasAway,
  kill('syncer'),
]
/** … but in the second half of a long run nothing is killed: lives of some minutes would not show whether memory grows. */
const HARMLESS = [disconnect, nasAway]
const isForLives = (minute: number) => MINUTES * 60 >= 3 * SLOPE_OVER_S && minute >= MINUTES / 2

function disturbanceOf(number: number): Disturbance {
  const all = isForLives((number * DISTURB_EVERY_S) / 60) ? HARMLESS : DISTURBANCES
  return all[number % all.length] ?? disconnect
}

/** Asks for the account of the day each minute, as a person at the small machine would: on that machine. */
class CoverageAsked {
  readonly exitCodes: (number | undefined)[] = []
  readonly #place: Place
  readonly #machine: SmallMachine
  #last: Promise<void> = Promise.resolve()
  #begun = 0

  constructor(place: Place, machine: SmallMachine) {
    this.#place = place
    this.#machine = machine
  }

  look(seconds: number): void {
    // From the second one on: of the first, no segment is over yet.
    if (seconds < 60 * (this.#begun + 1) + 30) return
    this.#begun++
    this.#last = this.#last.then(() => this.#ask())
  }

  /** When the last one is answered. */
  get over(): Promise<void> {
    return this.#last
  }

  async #ask(): Promise<void> {
    const date = new Date().toISOString().slice(0, 10)
    const args = [main, 'coverage', '--date', date, '--count', '--json', '--config', this.#place.config]
    const asked = execa(process.execPath, args, { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore', reject: false })
    this.#machine.add(asked.pid ?? 0)
    this.exitCodes.push((await asked).exitCode)
  }
}

/** MiB that processes take together: what they share is counted once. */
function togetherMiB(pids: readonly number[]): number {
  const kib = pids.map(pid => {
    try {
      return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ESRCH')) throw error
      return 0
    }
  })
  return kib.reduce((sum, one) => sum + one, 0) / 1024
}

const TOGETHER_EVERY_S = 5
/** A compactor that hardly used the processor for so long is at rest. */
const REST_S = 30
const REST_CPU_S = 0.5

async function live(
  exchange: StampedExchange,
  place: Place,
  run: number,
  coverage: CoverageAsked | undefined,
  told: (text: string) => void,
): Promise<{ watches: ProcessWatch[][]; together: number[]; atRest: number[] }> {
  const watches = PARTS.map(() => [] as ProcessWatch[])
  const together: number[] = []
  const atRest: number[] = []
  const compactorCpu: number[] = []
  const startMs = performance.now()
  let disturbed = 0
  let disturbance = Promise.resolve()
  while (performance.now() - startMs < 60_000 * MINUTES) {
    await delay(LOOK_EVERY_MS)
    const seconds = (performance.now() - startMs) / 1000
    PARTS.forEach((part, i) => {
      const own = watches[i] ?? []
      const pid = pidOf(place.dataDir, part)
      if (pid > 0 && own.at(-1)?.pid !== pid) own.push(new ProcessWatch(pid))
      own.at(-1)?.look(seconds)
    })
    if (seconds >= TOGETHER_EVERY_S * (together.length + 1)) {
      const takenMiB = togetherMiB([run, ...descendantsOf(run)])
      together.push(takenMiB)
      const used = compactorCpu.at(-REST_S / TOGETHER_EVERY_S) ?? NaN
      const compactor = IS_SMALL ? pidOf(place.dataDir, 'compactor') : 0
      compactorCpu.push(compactor > 0 ? cpuSecondsOf(compactor) : NaN)
      if ((compactorCpu.at(-1) ?? NaN) - used < REST_CPU_S) atRest.push(takenMiB)
    }
    coverage?.look(seconds)
    if (IS_SMALL || seconds < DISTURB_EVERY_S * (disturbed + 0.5)) continue
    const next = disturbanceOf(disturbed++)
    disturbance = disturbance.then(() => next(exchange, place)).then(what => told(`${seconds.toFixed(0)} s: ${what}`))
  }
  await Promise.all([disturbance, coverage?.over])
  const byMiB = (one: number, other: number) => one - other
  return { watches, together: together.sort(byMiB), atRest: atRest.sort(byMiB) }
}

const mid = (sorted: readonly number[]) => sorted[sorted.length >> 1] ?? 0

/** Converts and ships what is left, until all of it is proven over there. */
async function finish({ config }: Place): Promise<void> {
  await execa(process.execPath, [main, 'compact', '--once', '--config', config])
  for (let pass = 1; pass <= 10; pass++) {
    const { stdout } = await execa(process.execPath, [main, 'sync', '--once', '--json', '--config', config])
    const { backlogFiles, unverifiedFiles } = JSON.parse(stdout) as { backlogFiles: number; unverifiedFiles: number }
    if (backlogFiles + unverifiedFiles === 0) return
  }
  throw new Error('files are still not proven on the NAS')
}

interface Account {
  rows: number
  distinct: number
  /** Numbers of frames that are no row. */
  missing: number[]
  p99Us: number
  p999Us: number
  maxUs: number
}

async function accountOf(nas: string, sent: number): Promise<Account> {
  const connection = await openDuckDb()
  try {
    const globs = ['quote', 'ticker'].map(table =>
      sqlText(`${nas}/parquet/exchange=deribit/table=${table}/**/*.parquet`),
    )
    await connection.run(`CREATE VIEW found AS SELECT best_bid_price::BIGINT AS n, epoch_us(recv_ts) - best_ask_price AS late
      FROM read_parquet([${globs.join(', ')}], union_by_name = true)`)
    const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRows()
    const [[rows, distinct, p99, p999, max] = []] = await ask(
      'SELECT count(*), count(DISTINCT n), quantile_cont(late, 0.99), quantile_cont(late, 0.999), max(late) FROM found',
    )
    const missing = await ask(
      `SELECT n FROM range(1, ${sent + 1}) all_sent(n) WHERE n NOT IN (SELECT n FROM found) ORDER BY n`,
    )
    return {
      rows: Number(rows),
      distinct: Number(distinct),
      missing: missing.map(([n]) => Number(n)),
      p99Us: Number(p99),
      p999Us: Number(p999),
      maxUs: Number(max),
    }
  } finally {
    connection.closeSync()
  }
}

function partRows(watches: readonly ProcessWatch[][]): string[][] {
  return PARTS.map((part, i) => {
    const own = watches[i] ?? []
    const longest = own.reduce<ProcessWatch | undefined>(
      (best, one) => (!best || one.samples.length > best.samples.length ? one : best),
      undefined,
    )
    const samples = longest?.settled(SETTLED_AFTER_S) ?? []
    const all = own.flatMap(({ samples }) => samples)
    const slope = slopeMiBPerHour(samples)
    return [
      part,
      String(own.length),
      Math.max(0, ...all.map(({ residentMiB }) => residentMiB)).toFixed(0),
      slope === undefined ? '–' : slope.toFixed(1),
      String(samples.length),
      `${samples[0]?.files ?? '–'} → ${samples.at(-1)?.files ?? '–'}`,
      String(Math.max(0, ...all.map(({ files }) => files))),
    ]
  })
}

const where = IS_SMALL ? `on one core and ${SMALL_MIB} MiB` : 'disturbed each minute'

t.test(`${MINUTES} minutes at ${FRAMES_PER_SECOND} frames/s, ${where}`, async t => {
  const machine = IS_SMALL ? smallMachine(`edgetape-${process.pid}`, SMALL_MIB) : undefined
  if (IS_SMALL && !needsThat(t, machine !== undefined, 'needs the right to make cgroups')) return
  const exchange = await stampedExchange(FRAMES_PER_SECOND)
  t.teardown(() => exchange.close())
  // Not among the fixtures, which tests that run at the same time empty.
  const root = mkdtempSync(join(tmpdir(), 'edgetape-soak-'))
  t.teardown(() => rmSync(root, { recursive: true }))
  const place = prepare(root, exchange.url)
  const run = execa(process.execPath, [main, 'run', '--config', place.config], {
    stdin: 'ignore',
    stdout: { file: place.log, append: true },
    stderr: { file: place.log, append: true },
    ipc: true,
    reject: false,
  })
  t.teardown(() => run.kill('SIGTERM'))
  machine?.add(run.pid ?? 0)
  await until('frames flow', () => exchange.sentUs.length > FRAMES_PER_SECOND)
  const coverage = machine && new CoverageAsked(place, machine)
  const { watches, together, atRest } = await live(exchange, place, run.pid ?? 0, coverage, text => t.comment(text))
  exchange.stop()
  await delay(2000)
  run.kill('SIGTERM')
  t.equal((await run).exitCode, 0, 'run ends well')
  const small: [string, number | string][] = machine
    ? [
        ['memory of all parts and page cache, at most', `${machine.peakMiB().toFixed(0)} MiB`],
        ['ended for want of memory', machine.oomKills()],
        ['coverage asked for meanwhile', coverage?.exitCodes.length ?? 0],
      ]
    : []
  if (machine) t.equal(machine.oomKills(), 0, 'nothing ran out of memory')
  const answers: (number | undefined)[] = [exitCodes.success, exitCodes.incomplete]
  t.ok(coverage?.exitCodes.every(code => answers.includes(code)) ?? true, 'coverage was told each time')
  machine?.remove()
  await finish(place)

  const sent = exchange.sentUs.length - 1
  const account = await accountOf(place.nas, sent)
  const { losses, lines } = summaryOf(await measureAsked(place.nas), exchangeNamed)
  // Gaps are told in times of receipt; a frame's own is when it was sent, at most so long before.
  const unexplained = account.missing.filter(n => {
    const us = exchange.sentUs[n] ?? 0
    return !losses.some(({ fromUs, toUs }) => us >= fromUs - account.maxUs && us <= toUs)
  })
  const number = new Intl.NumberFormat('en-US')
  const facts: [string, number | string][] = [
    ['frames sent', sent],
    ['rows on the NAS', account.rows],
    ['of those doubled', account.rows - account.distinct],
    ['missing, in gaps that coverage tells', account.missing.length - unexplained.length],
    ['missing beside', unexplained.length],
    ['receive stamp behind the sender, p99', `${account.p99Us.toFixed(0)} µs`],
    ['the same, p99.9', `${account.p999Us.toFixed(0)} µs`],
    ['the same, at most', `${account.maxUs.toFixed(0)} µs`],
    ['memory of all parts together (PSS), in the middle', `${mid(together).toFixed(0)} MiB`],
    ['the same, at most', `${(together.at(-1) ?? 0).toFixed(0)} MiB`],
    [
      `the same, ${REST_S} s after the compactor's work`,
      atRest.length > 0 ? `${mid(atRest).toFixed(0)} MiB` : 'it never rested',
    ],
    ...small,
  ]
  const figures = facts.map(([what, value]) => [what, typeof value === 'number' ? number.format(value) : value])
  const parts = partRows(watches)
  const head = ['part', 'lives', 'MiB max', 'MiB/h', 'over s', 'files', 'files max']
  const report = [plainTable(['', ''], figures, [1]), '', plainTable(head, parts, [1, 2, 3, 4, 6])].join('\n')
  for (const line of report.split('\n')) t.comment(line)
  for (const { state, fromUs, toUs, cause } of losses)
    t.comment(`${state} ${((toUs - fromUs) / 1e6).toFixed(2)} s: ${cause}`)
  for (const { data, kind, complete } of lines) t.comment(`${data} ${kind} ${String(complete)}`)

  t.equal(account.rows - account.distinct, 0, 'no frame is doubled')
  t.same(unexplained.slice(0, 20), [], 'every frame is a row, or in a gap that coverage tells of')
  const kills = (watches[PARTS.indexOf('recorder')]?.length ?? 1) - 1
  const lost = account.missing.length
  t.ok(lost <= kills * FRAMES_PER_KILL_MAX, `${lost} frames missing, all by ${kills} kills of the recorder`)
  for (const [part, , , slope, seconds] of parts)
    if (Number(seconds) >= SLOPE_OVER_S) t.ok(Math.abs(Number(slope)) <= SLOPE_MIB_PER_HOUR_MAX, `${part}: flat`)
})

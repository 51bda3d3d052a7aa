import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { recorderTags } from '../../config/one-exchange.js'
import type { Config } from '../../config/schema.js'
import { isNear, systemClock, type Clock } from '../../platform/clock.js'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { Alerts } from '../alerts/alerts.js'
import { conditionsOf, nothingSeen, type Limits } from '../alerts/conditions.js'
import { firstCommand } from '../alerts/first-command.js'
import { hasReceiver } from '../alerts/receivers.js'
import { DailyWork } from '../daily/daily-work.js'
import { dailyJobs } from '../daily/jobs.js'
import { Scrub } from '../daily/scrub.js'
import { titleOf } from '../observe/parts.js'
import { healthOf, type Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'
import { versionsText } from '../observe/versions-seen.js'
import { withAccount } from '../observe/with-account.js'
import type { Said } from '../../formats/part-status.js'
import { startPulse } from '../../formats/pulse.js'
import { StatusWriter } from '../../formats/status.js'
import { dateOf, isDate } from '../../platform/utc-date.js'
import { Observer } from '../observe/observer.js'
import { History } from './history.js'
import { CoverageDays } from './coverage/days.js'
import { exposition } from '../metrics/exposition.js'
import { readPage } from './page.js'
import { json, listen, plain, type Answer, type Routes } from './server.js'
import { StatusStream } from './status-stream.js'
import { tailStream } from './tail-stream.js'

const LOOK_EVERY_MS = 1000
const LAST_STATUS_WITHIN_MS = 1000
/** Of the past that the page draws no more is lost by a crash. */
const KEEP_EVERY_MS = 60_000
/** A disk that is full sooner is something to do now. */
const FULL_SOON_DAYS = 7
const DAY_MS = 86_400_000

interface ServeOptions {
  config: Config
  /** Where it came from, for what is done by processes of their own. */
  configPath?: string
  log: Logger
  signal: AbortSignal
  clock?: Clock
  /** Hears the address once it is served. */
  onListening?: (url: string) => void
}

/**
 * Looks at the parts' files once a second and serves what it saw, until `signal` aborts. Reads nothing for a request, so
 * that no number of them costs the machine more than sending what is there; but for reports, and the few that follow what
 * is recorded.
 * @throws EdgeError HTTP_PORT_TAKEN, HTTP_CANNOT_LISTEN
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { config, configPath, log, signal, clock = systemClock, onListening } = options
  const { host, port, noDataSeconds } = config.http
  const history = new History(config.dataDir)
  await history.load(clock.nowMs()).catch((error: unknown) => log.debug({ err: messageOf(error) }, 'no past is known'))
  const observer = new Observer(config.dataDir, clock, recorderTags(config))
  const watch = new Watch(observer, history, 1000 * noDataSeconds, log)
  const coverage = new CoverageDays(config.dataDir, log)
  const daily = new DailyWork(dailyJobs(config), log)
  const scrub = new Scrub(config, configPath, log, clock.nowMs())
  const alerts = hasReceiver(config.alerts) ? new Alerts(config, log) : undefined
  const status = new StatusWriter(config.dataDir, 'monitor')
  const writeStatus = async (said: Said<'monitor'>) => {
    await status.write(said).catch((error: unknown) => log.debug({ err: messageOf(error) }, 'status not written'))
  }
  const notKept = (error: unknown) => log.debug({ err: messageOf(error) }, 'the past is not kept')
  const pages = new StatusStream()
  watch.look()
  // Alerts and reports need nobody to connect.
  const server =
    config.http.enabled || !(alerts || config.report.nightly)
      ? await listen(host, port, routesOf(config, watch, coverage), log, {
          ...tailStream(config.dataDir, log, signal),
          ...pages.streams,
        })
      : undefined
  if (server) {
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
    log.info({ url }, 'status page, metrics and health')
    onListening?.(url)
    void writeStatus({ url })
  } else void writeStatus({})
  let did = 'started'
  let keptMs = clock.nowMs()
  const stopPulse = startPulse({ dataDir: config.dataDir, part: 'monitor', log }, () => did)
  try {
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      watch.look()
      did = watch.did
      if (!isNear(keptMs, clock.nowMs(), KEEP_EVERY_MS)) {
        keptMs = clock.nowMs()
        void history.save().catch(notKept)
      }
      if (watch.hasNews) coverage.hurry()
      daily.tick(clock.nowMs(), signal)
      scrub.tick(clock.nowMs(), signal)
      const seen = watch.seenWith(coverage)
      if (seen) pages.send(() => statusAnswer(seen, watch.health(), config.alerts))
      if (seen) alerts?.note(seen, signal, watch.health().ready.length === 0)
      coverage.tick(clock.nowMs(), signal, watch.isWrong())
    }
  } finally {
    server?.close()
    server?.closeAllConnections()
    await stopPulse()
    const kept = history.saveLast(LAST_STATUS_WITHIN_MS).catch(notKept)
    await Promise.all([daily.ended(), scrub.ended(), coverage.ended(), endStatus(status, log), kept])
  }
}

/** On a disk that does not answer, or takes nothing, it ends without a good-bye. */
async function endStatus(status: StatusWriter, log: Logger): Promise<void> {
  try {
    await status.writeLast({ stopped: true }, LAST_STATUS_WITHIN_MS)
  } catch (error) {
    log.debug({ err: messageOf(error) }, 'status not written')
  }
}

/** What was seen last. */
class Watch {
  readonly #observer: Observer
  readonly #noDataMs: number
  readonly #log: Logger
  readonly history: History
  #seen: Observation | undefined
  #shownFacts = ''
  /** The journal reported something since the look before, or a part began or ended. */
  hasNews = false
  /** Why nothing can be seen. */
  #blind: string | undefined

  constructor(observer: Observer, history: History, noDataMs: number, log: Logger) {
    this.history = history
    this.#observer = observer
    this.#noDataMs = noDataMs
    this.#log = log
  }

  /** With what the account says of today and yesterday. */
  seenWith(coverage: CoverageDays): Observation | undefined {
    const seen = this.#seen
    return seen && withAccount(seen, coverage.of(dateOf(seen.atMs)), coverage.of(dateOf(seen.atMs - DAY_MS)))
  }

  get did(): string {
    return this.#blind === undefined ? 'looked at what the parts wrote' : `could not look: ${this.#blind}`
  }

  look(): void {
    try {
      this.#seen = this.#observer.look()
      const { gaps, parts } = this.#seen
      const healed = gaps.filter(({ healed }) => healed).length
      const facts = JSON.stringify([gaps.length, gaps.at(-1), healed, parts.map(({ state, since }) => [state, since])])
      this.hasNews = facts !== this.#shownFacts
      this.#shownFacts = facts
      this.history.note(this.#seen)
      this.#blind = undefined
    } catch (error) {
      const message = messageOf(error)
      if (this.#blind !== message) this.#log.error({ err: message }, 'the files of the parts cannot be read')
      this.#blind = message
    }
  }

  /** Something goes on that leaves something missing, as far as the parts know. */
  isWrong(): boolean {
    const isOpen = this.#seen?.gaps.some(({ toUs }) => toUs === undefined) ?? true
    return isOpen || this.health().ready.length > 0
  }

  health(): Health {
    const blind = this.#blind ?? (this.#seen ? undefined : 'nothing was seen yet')
    if (this.#seen && blind === undefined) return healthOf(this.#seen, this.#noDataMs)
    const trouble = `the files of the parts cannot be read: ${blind ?? ''}`
    return { live: [trouble], ready: [trouble] }
  }
}

function routesOf({ dataDir, alerts }: Config, watch: Watch, coverage: CoverageDays): Routes {
  const page = readPage()
  const seenToday = () => watch.seenWith(coverage)
  const verdict = (troubles: readonly string[]) =>
    troubles.length === 0 ? plain(200, 'ok') : plain(503, troubles.join('\n'))
  return {
    '/healthz': () => verdict(watch.health().live),
    '/readyz': () => verdict(watch.health().ready),
    '/metrics': () => {
      const seen = seenToday()
      if (!seen) return plain(503, 'nothing was seen yet')
      const { contentType, text } = exposition(seen, watch.health())
      return { contentType, body: text }
    },
    '/': () => page,
    '/api/status': () => {
      const seen = seenToday()
      return seen ? json(statusAnswer(seen, watch.health(), alerts)) : plain(503, 'nothing was seen yet')
    },
    '/api/history': () => json(watch.history.all()),
    '/api/coverage': query => {
      const date = query.get('before')
      if (date === null) return json(coverage.all())
      if (!isDate(date)) return plain(400, 'wanted a date such as 2026-11-22')
      const day = coverage.before(date)
      return json(day === undefined ? { isKnown: false } : { isKnown: true, day })
    },
    '/report': async query => {
      const found = watch.seenWith(coverage)?.reports.find(({ path }) => path === query.get('path'))
      return found ? reportAnswer(await readFile(join(dataDir, found.path))) : plain(404, 'no such report')
    },
  }
}

/** A report has no script and fetches nothing; this header says so once more. */
const reportAnswer = (body: Buffer): Answer => ({
  contentType: 'text/html; charset=utf-8',
  body,
  headers: { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox" },
})

function statusAnswer(all: Observation, health: Health, limits: Limits): object {
  const { parts, ...seen } = all
  const daysLeft = seen.disk?.daysLeft ?? Infinity
  const bad = conditionsOf(all, limits, nothingSeen).filter(({ state }) => state === 'bad')
  return {
    ...seen,
    // What a part wrote is in the other fields.
    parts: parts.map(report => ({ ...report, part: titleOf(report), status: undefined })),
    families: seen.families.map(one => ({ ...one, lag: undefined })),
    versions: seen.versions && versionsText(seen.versions),
    recorders: undefined,
    gaps: undefined,
    health,
    /** What is wrong now, and what to type first. */
    todo: [
      ...bad.map(({ key, text }) => ({ key, text, run: firstCommand(key) })),
      ...(daysLeft > FULL_SOON_DAYS
        ? []
        : [
            {
              ...{ key: 'disk full', run: firstCommand('disk') },
              text: `the disk is full in ${daysLeft.toFixed(1)} days, if nothing is deleted`,
            },
          ]),
    ],
  }
}

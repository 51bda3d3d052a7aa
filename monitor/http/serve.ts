import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { recorderTags } from '../../config/one-exchange.js'
import type { Config } from '../../config/schema.js'
import { systemClock, type Clock } from '../../platform/clock.js'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { Alerts, hasReceiver } from '../alerts/alerts.js'
import { DailyWork } from '../daily/daily-work.js'
import { dailyJobs } from '../daily/jobs.js'
import { gapsWithin } from '../observe/gaps-within.js'
import { titleOf } from '../observe/parts.js'
import { healthOf, type Health } from '../observe/health.js'
import type { Observation } from '../observe/observation.js'
import { withAccount } from '../observe/with-account.js'
import { dateOf } from '../../platform/utc-date.js'
import { Observer } from '../observe/observer.js'
import { History } from './history.js'
import { CoverageDays } from './coverage/days.js'
import { exposition } from '../metrics/exposition.js'
import { readPage } from './page.js'
import { json, listen, plain, type Routes } from './server.js'
import { tailStream } from './tail-stream.js'

const LOOK_EVERY_MS = 1000

interface ServeOptions {
  config: Config
  log: Logger
  signal: AbortSignal
  clock?: Clock
  /** Hears the address once it is served. */
  onListening?: (url: string) => void
}

/**
 * Looks at the parts' files once a second and serves what it saw, until `signal` aborts. Reads nothing for a request, so
 * that no number of them costs the machine more than sending what is there; but for the few that follow what is recorded.
 * @throws EdgeError HTTP_PORT_TAKEN, HTTP_CANNOT_LISTEN
 */
export async function serve({ config, log, signal, clock = systemClock, onListening }: ServeOptions): Promise<void> {
  const { host, port, noDataSeconds } = config.http
  const watch = new Watch(new Observer(config.dataDir, clock, recorderTags(config)), 1000 * noDataSeconds, log)
  const coverage = new CoverageDays(config.dataDir, log)
  const daily = new DailyWork(dailyJobs(config), log)
  const alerts = hasReceiver(config.alerts) ? new Alerts(config, log) : undefined
  watch.look()
  // Alerts and reports need nobody to connect.
  const server =
    config.http.enabled || !(alerts || config.report.nightly)
      ? await listen(host, port, routesOf(watch, coverage), log, tailStream(config.dataDir, log, signal))
      : undefined
  if (server) {
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
    log.info({ url }, 'status page, metrics and health')
    onListening?.(url)
  }
  try {
    while (!signal.aborted) {
      await sleep(LOOK_EVERY_MS, undefined, { signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
      watch.look()
      if (watch.hasNews) coverage.hurry(clock.nowMs())
      daily.tick(clock.nowMs(), signal)
      if (watch.seen) alerts?.note(watch.seen, signal)
      coverage.tick(clock.nowMs(), signal)
    }
  } finally {
    server?.close()
    server?.closeAllConnections()
    await Promise.all([daily.ended(), coverage.ended()])
  }
}

/** What was seen last. */
class Watch {
  readonly #observer: Observer
  readonly #noDataMs: number
  readonly #log: Logger
  readonly history = new History()
  #seen: Observation | undefined
  #toldOf = ''
  /** The journal told of something since the look before. */
  hasNews = false
  /** Why nothing can be seen. */
  #blind: string | undefined

  constructor(observer: Observer, noDataMs: number, log: Logger) {
    this.#observer = observer
    this.#noDataMs = noDataMs
    this.#log = log
  }

  get seen(): Observation | undefined {
    return this.#seen
  }

  look(): void {
    try {
      this.#seen = this.#observer.look()
      const { gaps } = this.#seen
      const toldOf = JSON.stringify([gaps.length, gaps.at(-1), gaps.filter(({ healed }) => healed).length])
      this.hasNews = toldOf !== this.#toldOf
      this.#toldOf = toldOf
      this.history.note(this.#seen)
      this.#blind = undefined
    } catch (error) {
      const message = messageOf(error)
      if (this.#blind !== message) this.#log.error({ err: message }, 'the files of the parts cannot be read')
      this.#blind = message
    }
  }

  health(): Health {
    const blind = this.#blind ?? (this.#seen ? undefined : 'nothing was seen yet')
    if (this.#seen && blind === undefined) return healthOf(this.#seen, this.#noDataMs)
    const trouble = `the files of the parts cannot be read: ${blind ?? ''}`
    return { live: [trouble], ready: [trouble] }
  }
}

function routesOf(watch: Watch, coverage: CoverageDays): Routes {
  const page = readPage()
  const seenToday = () => watch.seen && withAccount(watch.seen, coverage.of(dateOf(watch.seen.atMs)))
  const verdict = (troubles: readonly string[]) =>
    troubles.length === 0 ? plain(200, 'ok') : plain(503, troubles.join('\n'))
  return {
    '/healthz': () => verdict(watch.health().live),
    '/readyz': () => verdict(watch.health().ready),
    '/metrics': async () => {
      const seen = seenToday()
      if (!seen) return plain(503, 'nothing was seen yet')
      const { contentType, text } = await exposition(seen, watch.health())
      return { contentType, body: text }
    },
    '/': () => page,
    '/api/status': () => {
      const seen = seenToday()
      return seen ? json(statusAnswer(seen, watch.health())) : plain(503, 'nothing was seen yet')
    },
    '/api/rates': () => json(watch.history.all()),
    '/api/coverage': () => json(coverage.all()),
  }
}

/** An hour of broken connections must not make the page heavy: the newest are drawn, the others counted. */
const GAPS_SENT = 500

function statusAnswer({ parts, gaps, ...seen }: Observation, health: Health): object {
  const todayUs = (seen.atMs - (seen.atMs % 86_400_000)) * 1000
  return {
    ...seen,
    // What a part wrote is in the other fields.
    parts: parts.map(report => ({ ...report, part: titleOf(report), status: undefined })),
    recorders: undefined,
    gaps: gaps.slice(-GAPS_SENT),
    gapsOfDay: gaps.length,
    gapsToday: seen.today?.count ?? gapsWithin(gaps, undefined, todayUs, seen.atMs * 1000).count,
    health,
  }
}

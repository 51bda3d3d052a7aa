import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/schema.js'
import { isNear } from '../../platform/clock.js'
import { hasErrno, messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Observation } from '../observe/observation.js'
import { messageOfAlert } from './message.js'
import { ping, receiversOf, type Receiver } from './receivers.js'
import { due, looked, noAlerts, parseState, delivered, type Alert, type AlertState } from './state.js'

/** After a message that could not be delivered, the next try comes after so long, ms. */
const RETRY_MS = 60_000

type Settings = Pick<Config, 'alerts' | 'dataDir' | 'host'>

/** Notifies of what goes wrong, and when it is well again: each receiver by itself. */
export class Alerts {
  readonly #deliveries: readonly Delivery[]
  readonly #ping: DeadMansPing | undefined

  constructor(settings: Settings, log: Logger) {
    const { pingFile, pingMinutes } = settings.alerts
    this.#deliveries = receiversOf(settings.alerts).map(receiver => new Delivery(receiver, settings, log))
    this.#ping = pingFile === undefined ? undefined : new DeadMansPing(pingFile, 60_000 * pingMinutes, log)
  }

  /**
   * Takes a look into account, and begins to send what is due.
   * @param isWell nothing is wrong, so that the watcher elsewhere may hear that this machine lives
   */
  note(seen: Observation, signal: AbortSignal, isWell = false): void {
    for (const delivery of this.#deliveries) delivery.note(seen, signal)
    if (isWell) this.#ping?.tick(seen.atMs, signal)
  }
}

/** What one receiver was sent is kept in `state/alerts-<name>.json`, over restarts; it is tried again and limited by itself. */
class Delivery {
  readonly #receiver: Receiver
  readonly #settings: Settings
  readonly #log: Logger
  readonly #path: string
  #state: AlertState
  #isAtWork = false
  /** When sending failed last. */
  #failedMs = -Infinity

  constructor(receiver: Receiver, settings: Settings, log: Logger) {
    this.#receiver = receiver
    this.#settings = settings
    this.#log = log
    const folder = join(settings.dataDir, 'state')
    this.#path = join(folder, `alerts-${receiver.name}.json`)
    // Before there were several, one file had all that was sent.
    this.#state = readState(this.#path) ?? readState(join(folder, 'alerts.json')) ?? noAlerts
  }

  note(seen: Observation, signal: AbortSignal): void {
    const { alerts: limits } = this.#settings
    this.#state = looked(this.#state, seen, limits)
    const alerts = due(this.#state, limits, seen.atMs)
    if (this.#isAtWork || alerts.length === 0 || isNear(this.#failedMs, seen.atMs, RETRY_MS)) return
    this.#isAtWork = true
    const { name } = this.#receiver
    this.#deliver(alerts, seen.atMs, signal)
      .catch((error: unknown) => {
        this.#failedMs = seen.atMs
        if (!signal.aborted)
          this.#log.warn({ receiver: name, err: messageOf(error) }, 'alert not delivered; it is tried again')
      })
      .finally(() => {
        this.#isAtWork = false
      })
  }

  async #deliver(alerts: readonly Alert[], nowMs: number, signal: AbortSignal): Promise<void> {
    const { name } = this.#receiver
    for (const alert of alerts) {
      await this.#receiver.send(messageOfAlert(alert, this.#settings.host), signal)
      this.#state = delivered(this.#state, alert, nowMs)
      this.#log.info({ receiver: name, alert: alert.key, what: alert.what, text: alert.text }, 'alert delivered')
      this.#keep()
    }
  }

  #keep(): void {
    mkdirSync(join(this.#settings.dataDir, 'state'), { recursive: true })
    writeFileSync(`${this.#path}.tmp`, JSON.stringify(this.#state))
    renameSync(`${this.#path}.tmp`, this.#path)
  }
}

function readState(path: string): AlertState | undefined {
  try {
    return parseState(readFileSync(path, 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

/** Calls an address while all is well: who keeps it raises the alarm when the calls end, also where this machine is gone. */
class DeadMansPing {
  readonly #file: string
  readonly #everyMs: number
  readonly #log: Logger
  #isAtWork = false
  #calledMs = -Infinity

  constructor(file: string, everyMs: number, log: Logger) {
    this.#file = file
    this.#everyMs = everyMs
    this.#log = log
  }

  tick(nowMs: number, signal: AbortSignal): void {
    if (this.#isAtWork || isNear(this.#calledMs, nowMs, this.#everyMs)) return
    this.#isAtWork = true
    this.#calledMs = nowMs
    ping(this.#file, signal)
      .catch((error: unknown) => {
        if (!signal.aborted) this.#log.warn({ err: messageOf(error) }, 'the watcher elsewhere could not be pinged')
      })
      .finally(() => {
        this.#isAtWork = false
      })
  }
}

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/schema.js'
import { hasErrno, messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import type { Observation } from '../observe/observation.js'
import { deliver, messageOfAlert } from './deliver.js'
import { due, looked, noAlerts, parseState, told, type Alert, type AlertState } from './state.js'

/** After a message that could not be delivered, the next try comes after so long, ms. */
const RETRY_MS = 60_000

/** True where somebody is to be told. */
export const hasReceiver = ({ command, webhook, webhookFile }: Config['alerts']) =>
  command !== undefined || webhook !== undefined || webhookFile !== undefined

/** Tells of what goes wrong, and when it is well again. What was told is kept in `state/alerts.json`, over restarts. */
export class Alerts {
  readonly #config: Pick<Config, 'alerts' | 'dataDir' | 'host'>
  readonly #log: Logger
  readonly #path: string
  #state: AlertState
  #isAtWork = false
  #notBeforeMs = -Infinity

  constructor(config: Pick<Config, 'alerts' | 'dataDir' | 'host'>, log: Logger) {
    this.#config = config
    this.#log = log
    this.#path = join(config.dataDir, 'state', 'alerts.json')
    this.#state = readState(this.#path)
  }

  /** Takes a look into account, and begins to tell what is due. */
  note(seen: Observation, signal: AbortSignal): void {
    const { alerts: limits } = this.#config
    this.#state = looked(this.#state, seen, limits)
    const alerts = due(this.#state, limits, seen.atMs)
    if (this.#isAtWork || alerts.length === 0 || seen.atMs < this.#notBeforeMs) return
    this.#isAtWork = true
    this.#tell(alerts, seen.atMs, signal)
      .catch((error: unknown) => {
        this.#notBeforeMs = seen.atMs + RETRY_MS
        if (!signal.aborted) this.#log.warn({ err: messageOf(error) }, 'alert not delivered; it is tried again')
      })
      .finally(() => {
        this.#isAtWork = false
      })
  }

  async #tell(alerts: readonly Alert[], nowMs: number, signal: AbortSignal): Promise<void> {
    const { alerts: limits, host } = this.#config
    for (const alert of alerts) {
      await deliver(messageOfAlert(alert, host), limits, signal)
      this.#state = told(this.#state, alert, nowMs)
      this.#log.info({ alert: alert.key, what: alert.what, text: alert.text }, 'alert delivered')
      this.#keep()
    }
  }

  #keep(): void {
    mkdirSync(join(this.#config.dataDir, 'state'), { recursive: true })
    writeFileSync(`${this.#path}.tmp`, JSON.stringify(this.#state))
    renameSync(`${this.#path}.tmp`, this.#path)
  }
}

function readState(path: string): AlertState {
  try {
    return parseState(readFileSync(path, 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return noAlerts
    throw error
  }
}

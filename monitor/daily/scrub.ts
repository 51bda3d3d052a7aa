import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import type { Config } from '../../config/schema.js'
import { readProofState } from '../../formats/proof-state.js'
import { isNear } from '../../platform/clock.js'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const EVERY_MS = 24 * HOUR_MS
/** A start, and whoever only tries something, is not to be disturbed. */
const FIRST_AFTER_MS = HOUR_MS
/** What was begun is to come to its end by itself. */
const GRACE_MS = 10 * MINUTE_MS

const main = fileURLToPath(new URL('../../cli/main.js', import.meta.url))

/**
 * For how long files are to be proven now, minutes; undefined: not now. Pure.
 * @param startedMs when they were last; undefined: never
 */
export function dueMinutes(
  hoursAWeek: number,
  now: { nowMs: number; upSinceMs: number },
  startedMs: number | undefined,
): number | undefined {
  if (hoursAWeek === 0 || now.nowMs - now.upSinceMs < FIRST_AFTER_MS) return undefined
  return startedMs !== undefined && isNear(startedMs, now.nowMs, EVERY_MS) ? undefined : (60 * hoursAWeek) / 7
}

/** Proves the archive a little a day, by a process of its own that is behind all others and goes on where the last one ended. */
export class Scrub {
  readonly #config: Pick<Config, 'dataDir' | 'verify'>
  readonly #configPath: string | undefined
  readonly #log: Logger
  readonly #upSinceMs: number
  /** When it was looked at last, and for how long that holds. */
  #looked = { atMs: -Infinity, forMs: 0 }
  #underWay: Promise<void> | undefined

  constructor(
    config: Pick<Config, 'dataDir' | 'verify'>,
    configPath: string | undefined,
    log: Logger,
    upSinceMs: number,
  ) {
    this.#config = config
    this.#configPath = configPath
    this.#log = log
    this.#upSinceMs = upSinceMs
  }

  /** Resolves when the process of its own has ended; never rejects. */
  async ended(): Promise<void> {
    await this.#underWay
  }

  /** Starts it when it is due; to be called now and then. */
  tick(nowMs: number, signal: AbortSignal): void {
    const { dataDir, verify } = this.#config
    if (this.#underWay || isNear(this.#looked.atMs, nowMs, this.#looked.forMs) || !existsSync(join(dataDir, 'raw')))
      return
    const now = { nowMs, upSinceMs: this.#upSinceMs }
    const minutes = dueMinutes(verify.scrub, now, readProofState(dataDir, 'bits')?.startedMs)
    this.#looked = { atMs: nowMs, forMs: minutes === undefined ? MINUTE_MS : HOUR_MS }
    if (minutes === undefined) return
    this.#underWay = this.#prove(minutes, signal).finally(() => (this.#underWay = undefined))
  }

  async #prove(minutes: number, signal: AbortSignal): Promise<void> {
    const config = this.#configPath === undefined ? [] : ['--config', this.#configPath]
    const args = [main, 'verify', 'bits', this.#config.dataDir, '--for', String(minutes), ...config]
    try {
      const { stdout, exitCode, stderr } = await execa(process.execPath, args, {
        ...{ reject: false, cancelSignal: signal, timeout: MINUTE_MS * minutes + GRACE_MS },
      })
      if (signal.aborted) return
      const said = stdout.split('\n').slice(-20)
      if (exitCode === 0) this.#log.info({ said: said.slice(-2) }, 'files proven')
      else this.#log.error({ said, err: stderr.slice(0, 500) }, 'files are not what they were, or could not be proven')
    } catch (error) {
      if (!signal.aborted) this.#log.warn({ err: messageOf(error).slice(0, 500) }, 'files not proven')
    }
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Logger } from '../../platform/log.js'
import { afterDeath } from './restart.js'

/** One program to keep running. */
export interface Part {
  name: string
  /** Arguments of Node: script and its arguments. */
  args: string[]
}

/** Parts promise to end within seconds of SIGTERM; one that hangs is killed after this, ms. */
const KILL_AFTER_MS = 30_000

/**
 * Keeps the parts running until `signal` aborts, each on its own: one that dies is started again after a growing pause,
 * the others go on. Then they get SIGTERM, and their clean ends are waited for. When this process is killed, the parts
 * see its IPC channel close and end by themselves.
 * @returns true when all ended cleanly
 */
export async function supervise(parts: readonly Part[], log: Logger, signal: AbortSignal): Promise<boolean> {
  const ends = await Promise.all(parts.map(part => keepRunning(part, log, signal)))
  return ends.every(clean => clean)
}

async function keepRunning(part: Part, log: Logger, signal: AbortSignal): Promise<boolean> {
  let deathsInARow = 0
  const toldToEnd = () => signal.aborted
  while (!toldToEnd()) {
    const startedMs = performance.now()
    const end = await runUntilEnd(part, log, signal)
    if (toldToEnd()) {
      log[end.clean ? 'info' : 'error']({ part: part.name, end: end.text }, 'ended')
      return end.clean
    }
    const { deaths, delayMs } = afterDeath(deathsInARow, performance.now() - startedMs)
    deathsInARow = deaths
    log.error({ part: part.name, end: end.text, deaths, delayMs }, 'ended by itself, starting it again')
    await sleep(delayMs, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
  return true
}

async function runUntilEnd(part: Part, log: Logger, signal: AbortSignal): Promise<{ clean: boolean; text: string }> {
  const child = execa(process.execPath, part.args, {
    // A group of its own: Ctrl-C on the terminal reaches the supervisor alone, which then tells the parts once.
    detached: true,
    ipc: true,
    // The unit's watchdog is about this process; the parts must not answer in its place.
    env: { NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined },
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    forceKillAfterDelay: KILL_AFTER_MS,
    reject: false,
  })
  log.info({ part: part.name, pid: child.pid }, 'started')
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const { exitCode, signal: killedBy, shortMessage } = await child
  signal.removeEventListener('abort', stop)
  if (exitCode !== undefined) return { clean: exitCode === 0, text: `exit code ${exitCode}` }
  return { clean: false, text: killedBy ?? shortMessage ?? 'could not be started' }
}

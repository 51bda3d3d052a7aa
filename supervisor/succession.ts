import { spawn } from 'node:child_process'
import type { Logger } from '../platform/log.js'
import { SHUTDOWN_SIGNALS, type ShutdownSignal } from '../platform/shutdown.js'
import { isUnderSystemd, notifySystemd } from '../platform/systemd.js'

const TAKE_OVER = '--take-over'

/**
 * Signals that mean the end. Under systemd SIGHUP is how `systemctl reload` renews what it started; elsewhere it says that
 * the terminal was closed.
 */
export function endingSignals(environment: NodeJS.ProcessEnv): readonly ShutdownSignal[] {
  return isUnderSystemd(environment) ? SHUTDOWN_SIGNALS.filter(signal => signal !== 'SIGHUP') : SHUTDOWN_SIGNALS
}

/** Starts this command once more, from what is installed now, to take our place. */
export function startSuccessor(log: Logger): void {
  const args = [...process.execArgv, ...process.argv.slice(1).filter(arg => arg !== TAKE_OVER), TAKE_OVER]
  // The watchdog will be about the successor.
  const env = { ...process.env, WATCHDOG_PID: undefined }
  const child = spawn(process.execPath, args, { detached: true, stdio: 'inherit', env })
  child.on('error', error => log.error({ err: error }, 'the successor could not be started; going on'))
  child.unref()
  log.info({ pid: child.pid }, 'started the recorder that is to take over')
}

/** Has systemd watch this process in place of the one that is about to end, where systemd is there. */
export async function becomeMainProcess(log: Logger): Promise<void> {
  if (isUnderSystemd(process.env)) await notifySystemd(`MAINPID=${process.pid}`, log)
}

import { spawn } from 'node:child_process'
import type { Logger } from './log.js'

/** Notifies systemd; resolves when the message was taken. */
type Notify = (assignment: string) => Promise<void>

/**
 * Notifies systemd, where it is the one that started this process (`Type=notify`), that the process is up, and within each
 * span of its watchdog that it is alive: a process whose loop stands still is killed and started anew. The messages go
 * through `systemd-notify`, so the unit needs `NotifyAccess=all`: Node has no datagram sockets of the file system.
 * Does nothing elsewhere.
 * @returns to be called when the process ends
 */
export function attendSystemd(
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
  notify: Notify = message => notifySystemd(message, log),
): () => void {
  if (!isUnderSystemd(environment)) return () => undefined
  void notify('READY=1')
  const spanMs = watchdogMs(environment, process.pid)
  // Three beats in each span, so that one may come late.
  const timer = spanMs === undefined ? undefined : setInterval(() => void notify('WATCHDOG=1'), spanMs / 3)
  timer?.unref()
  return () => clearInterval(timer)
}

export function isUnderSystemd(environment: NodeJS.ProcessEnv): boolean {
  return Boolean(environment['NOTIFY_SOCKET'])
}

/** Span of the watchdog, ms; undefined where none is set, or it is another process's. */
export function watchdogMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const us = Number(environment['WATCHDOG_USEC'])
  const owner = environment['WATCHDOG_PID']
  const isOurs = owner === undefined || owner === '' || Number(owner) === pid
  return us > 0 && isOurs ? us / 1000 : undefined
}

/** Says `READY=1`, `MAINPID=…` or the like by systemd's own program. */
export function notifySystemd(message: string, log: Logger): Promise<void> {
  return new Promise(resolve => {
    const child = spawn('systemd-notify', [message], { stdio: 'ignore' })
    child.unref()
    child.on('exit', () => resolve())
    child.on('error', error => {
      log.warn({ err: error }, 'cannot notify systemd that this process is alive')
      resolve()
    })
  })
}

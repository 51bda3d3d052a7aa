import { spawn } from 'node:child_process'
import type { Logger } from './log.js'

/** What systemd is told with: its own program, or another in a test. */
export type Notify = (assignment: string) => void

/**
 * Tells systemd, where it is the one that started this process (`Type=notify`), that the process is up, and within each
 * span of its watchdog that it is alive: a process whose loop stands still is killed and started anew. The messages go
 * through `systemd-notify`, so the unit needs `NotifyAccess=all`: Node has no datagram sockets of the file system.
 * Does nothing elsewhere, also in children of such a process.
 * @returns to be called when the process ends
 */
export function attendSystemd(
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
  notify: Notify = message => spawnNotify(message, log),
): () => void {
  if (!environment['NOTIFY_SOCKET']) return () => undefined
  notify('READY=1')
  const spanMs = watchdogMs(environment, process.pid)
  // Three beats in each span, so that one may come late.
  const timer = spanMs === undefined ? undefined : setInterval(() => notify('WATCHDOG=1'), spanMs / 3)
  timer?.unref()
  return () => {
    clearInterval(timer)
    notify('STOPPING=1')
  }
}

/** Span of the watchdog, ms; undefined where none is set, or it is another process's. */
export function watchdogMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const us = Number(environment['WATCHDOG_USEC'])
  const owner = environment['WATCHDOG_PID']
  const isOurs = owner === undefined || owner === '' || Number(owner) === pid
  return us > 0 && isOurs ? us / 1000 : undefined
}

function spawnNotify(message: string, log: Logger): void {
  const child = spawn('systemd-notify', [message], { stdio: 'ignore' })
  child.on('error', error => log.warn({ err: error }, 'systemd cannot be told that this process lives'))
  child.unref()
}

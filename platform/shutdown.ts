import { constants } from 'node:os'

export type ShutdownSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

export const SHUTDOWN_SIGNALS: readonly ShutdownSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP']

/**
 * Signals that come within this time are one wish: service managers, `timeout`, a terminal and a supervisor each pass on
 * what they were told, so that a process hears of it two or three times. What comes later is a second wish, of somebody
 * who waited in vain: it ends the process at once, unsealed, whatever it does and on any disk.
 */
export const ONE_WISH_MS = 2000
/** What is still alive so long after all is done waits for something that does not answer; with it, the end still comes within 5 s. */
const LINGER_MS = 1500

interface ShutdownOptions {
  /** Those that mean the end; a process may have another use for SIGHUP. */
  signals?: readonly ShutdownSignal[]
  /** Called before a second wish ends the process. */
  atOnce?: () => void
}

/** What a supervisor says over the channel to a part that is to end, which thus is not mistaken for a second wish. */
export interface StopRequest {
  stop: string
}

/** What a part says over the channel once it can end in order. */
export const LISTENING = 'listening'

/** What a part says over the channel while its loop turns. */
export const ALIVE = 'alive'
const ALIVE_EVERY_MS = 1000

/** The signal that stands for the wish to end, once there was one. */
let asked: ShutdownSignal | undefined

/**
 * Calls `stop` once: on the first signal, at a supervisor's request, or when the supervisor is gone. A second SIGTERM or
 * SIGINT later than `ONE_WISH_MS` ends the process by that signal; a terminal that is closed and a supervisor that goes
 * hurry nobody.
 */
export function onShutdown(
  stop: (reason: string) => void,
  { signals = SHUTDOWN_SIGNALS, atOnce }: ShutdownOptions = {},
): void {
  let wishes: 'none' | 'first' | 'later' = 'none'
  const ask = (reason: string, signal: ShutdownSignal = 'SIGTERM') => {
    if (wishes !== 'none') return
    wishes = 'first'
    asked ??= signal
    // While an end by itself is cleaned up, signals are not handled any more: one that comes then would be the exit code.
    process.once('beforeExit', () => process.exit())
    stop(reason)
    // By the loop's timer, not by the clock: a loop that stood still hears late of signals that came in time.
    setTimeout(() => {
      wishes = 'later'
      if (!atOnce) leaveToKernel()
    }, ONE_WISH_MS).unref()
  }
  const heard = (signal: ShutdownSignal) => {
    if (wishes !== 'later') ask(signal, signal)
    else if (signal !== 'SIGHUP') {
      atOnce?.()
      endBy(signal)
    }
  }
  for (const signal of signals) process.on(signal, heard)
  /** From here on a second wish needs no turn of the loop, which may be waiting for a disk. */
  const leaveToKernel = () => {
    // The kernel ends the first process of a container by no signal that is not handled.
    if (process.pid === 1) return
    for (const signal of signals) if (signal !== 'SIGHUP') process.off(signal, heard)
  }
  if (process.send) attendSupervisor(ask)
}

function attendSupervisor(ask: (reason: string) => void): void {
  const gone = () => ask('supervisor gone')
  process.on('message', (message: unknown) => {
    if (isStopRequest(message)) ask(message.stop)
  })
  process.on('disconnect', gone)
  if (!process.connected) {
    queueMicrotask(gone)
    return
  }
  // Whether it could be said shows in the channel's end.
  process.send?.(LISTENING, undefined, undefined, () => undefined)
  let isUnderWay = false
  // One at a time: a supervisor that was stopped takes none.
  setInterval(() => {
    if (isUnderWay || !process.connected) return
    isUnderWay = true
    process.send?.(ALIVE, undefined, undefined, () => (isUnderWay = false))
  }, ALIVE_EVERY_MS).unref()
  // Listening must not keep a part alive that has nothing left to do.
  process.channel?.unref()
}

function isStopRequest(message: unknown): message is StopRequest {
  return typeof message === 'object' && message !== null && 'stop' in message && typeof message.stop === 'string'
}

/**
 * To be called when all is done. Where the process was asked to end and something keeps it alive, e.g. a thread that
 * waits for a disk, it is ended by the signal that asked: neither the loop nor an exit gets past such a thread.
 */
export function endOfCommand(): void {
  const signal = asked
  if (signal === undefined) return
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().join(', ')
    process.stderr.write(`edgetape: something does not answer, e.g. a disk: ended without waiting for it (${held})\n`)
    endBy(signal)
  }, LINGER_MS).unref()
}

/** The exit code of a command that was asked to end before it was done; undefined while nobody asked. */
export function interruptedCode(): number | undefined {
  return asked && exitCodeOf(asked)
}

/** What a shell says of a process that ended by this signal. */
const exitCodeOf = (signal: ShutdownSignal) => 128 + constants.signals[signal]

function endBy(signal: ShutdownSignal): never {
  // An exit joins the threads, and would wait for one that waits for a disk; a signal nobody handles does not.
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  process.exit(exitCodeOf(signal))
}

import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { execa } from 'execa'
import type { Logger } from '../platform/log.js'
import { killTree } from '../platform/process-tree.js'
import { ALIVE, LISTENING, SHUTDOWN_SIGNALS, type StopRequest } from '../platform/shutdown.js'
import { leanMemory } from './node-flags.js'
import { afterDeath } from './restart.js'

/** One program to keep running. */
export interface Part {
  name: string
  /** Arguments of Node: script and its arguments. */
  args: string[]
  /**
   * Arguments with which it takes the place of the one at work, and has that one end. Without them a part that is to be
   * renewed ends first.
   */
  takeOverArgs?: string[]
  /** How it keeps memory, where not as all do. */
  memory?: Readonly<Record<string, string>>
}

/** Parts promise to end within seconds when asked to; one that hangs is killed after this, with all it started, ms. */
const KILL_AFTER_MS = 30_000

/**
 * One whose loop turned no more for so many looks, a second apart, is killed and started again. Looks are counted, not
 * time: a supervisor that was stopped itself, or a machine that slept, must not take it for their standstill.
 */
const STILL_LOOKS = 30
const LOOK_EVERY_MS = 1000

interface End {
  clean: boolean
  text: string
}

interface Process {
  ended: Promise<End>
  stop: () => void
  kill: () => void
}

/**
 * Keeps the parts running until `signal` aborts, each on its own: one that dies is started again after a growing pause,
 * the others go on. Then they are asked to end, over their IPC channel, so that none takes our word for a second signal
 * of somebody in a hurry; their clean ends are waited for. When this process is killed, the parts see the channel close
 * and end by themselves. At each `renew` of `orders` all parts are started anew, from what is installed by then; `kill`
 * ends them where they stand, with all they started. One that stands still is ended so, too, and started again: what it
 * wrote stays. A part whose loop turns and whose disk does not answer is left alone, for what waits in its memory would be lost.
 * @returns true when all ended cleanly
 */
export async function supervise(
  parts: readonly Part[],
  log: Logger,
  signal: AbortSignal,
  orders: EventEmitter = new EventEmitter(),
  stillLooks = STILL_LOOKS,
): Promise<boolean> {
  const kept = parts.map(part => new KeptPart(part, log, signal, stillLooks))
  const renew = () => {
    for (const part of kept) part.renew()
  }
  const kill = () => {
    for (const part of kept) part.kill()
  }
  orders.on('renew', renew).on('kill', kill)
  const ends = await Promise.all(kept.map(part => part.keepRunning()))
  orders.off('renew', renew).off('kill', kill)
  return ends.every(clean => clean)
}

/** One part over all its processes. */
class KeptPart {
  readonly #part: Part
  readonly #log: Logger
  readonly #signal: AbortSignal
  readonly #stillLooks: number
  #process: Process | undefined
  /** Started to take the place of the one at work. */
  #successor: Process | undefined
  /** The one at work was asked to end, so that it can be started anew. */
  #isEnding = false

  constructor(part: Part, log: Logger, signal: AbortSignal, stillLooks: number) {
    this.#stillLooks = stillLooks
    this.#part = part
    this.#log = log
    this.#signal = signal
  }

  async keepRunning(): Promise<boolean> {
    const { name, args } = this.#part
    let deathsInARow = 0
    while (!this.#signal.aborted) {
      const startedMs = performance.now()
      const current = this.#successor ?? this.#start(args)
      this.#successor = undefined
      this.#process = current
      const end = await current.ended
      if (this.#isOver()) return this.#lastEnd(end)
      if (this.#isRenewed()) {
        this.#log.info({ part: name, end: end.text }, 'ended to be renewed')
        continue
      }
      const { deaths, delayMs } = afterDeath(deathsInARow, performance.now() - startedMs)
      deathsInARow = deaths
      this.#log.error({ part: name, end: end.text, deaths, delayMs }, 'exited unexpectedly, restarting it')
      await sleep(delayMs, undefined, { signal: this.#signal }).catch((error: unknown) => {
        if (!this.#signal.aborted) throw error
      })
    }
    return true
  }

  renew(): void {
    if (this.#isOver() || this.#successor || this.#isEnding) return
    const { name, takeOverArgs } = this.#part
    if (!takeOverArgs) {
      this.#isEnding = true
      this.#process?.stop()
      return
    }
    const successor = this.#start(takeOverArgs)
    this.#successor = successor
    void successor.ended.then(({ text }) => {
      if (this.#successor !== successor) return
      this.#successor = undefined
      if (!this.#isOver()) this.#log.error({ part: name, end: text }, 'could not take over; the running one continues')
    })
  }

  kill(): void {
    this.#process?.kill()
    this.#successor?.kill()
  }

  #start(args: string[]): Process {
    return start({ ...this.#part, args }, this.#log, this.#signal, this.#stillLooks)
  }

  #isOver(): boolean {
    return this.#signal.aborted
  }

  #isRenewed(): boolean {
    const renewed = this.#isEnding || this.#successor !== undefined
    this.#isEnding = false
    return renewed
  }

  async #lastEnd(end: End): Promise<boolean> {
    const last = await this.#successor?.ended
    this.#log[end.clean ? 'info' : 'error']({ part: this.#part.name, end: end.text }, 'ended')
    return end.clean && (last?.clean ?? true)
  }
}

function start(
  { name, args, memory = leanMemory }: Part,
  log: Logger,
  signal: AbortSignal,
  stillLooks: number,
): Process {
  const child = execa(process.execPath, args, {
    // A group of its own: Ctrl-C on the terminal reaches the supervisor alone, which then stops the parts once.
    detached: true,
    ipc: true,
    // It would keep each sign of life.
    buffer: { ipc: false },
    // The unit's watchdog is about this process; the parts must not answer in its place.
    env: { ...memory, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined },
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false,
  })
  log.info({ part: name, pid: child.pid }, 'started')
  const kill = () => {
    const hasEnded = child.exitCode !== null || child.signalCode !== null
    if (child.pid !== undefined && !hasEnded) killTree(child.pid)
  }
  let hasListened = false
  let looksInVain = 0
  child.on('message', message => {
    if (message === LISTENING) hasListened = true
    if (message === LISTENING || message === ALIVE) looksInVain = 0
  })
  const look = setInterval(() => {
    // Before it listens it begins, however long that takes.
    if (!hasListened || ++looksInVain !== stillLooks) return
    log.error({ part: name, pid: child.pid, seconds: looksInVain }, 'stands still: no sign of life, killing it')
    kill()
  }, LOOK_EVERY_MS)
  let killing: NodeJS.Timeout | undefined
  const stop = () => {
    killing ??= setTimeout(kill, KILL_AFTER_MS)
    const request: StopRequest = { stop: 'SIGTERM' }
    // One that cannot hear it has ended already, or is killed in the end.
    child.send(request, () => undefined)
  }
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const ended = child.then(({ exitCode, signal: killedBy, shortMessage }) => {
    signal.removeEventListener('abort', stop)
    clearTimeout(killing)
    clearInterval(look)
    if (exitCode !== undefined) return { clean: exitCode === 0, text: `exit code ${exitCode}` }
    // A signal that came before it listened, e.g. to all processes of a unit, found nothing begun.
    const beganNothing = isWishToEnd(killedBy) && !hasListened
    return { clean: beganNothing, text: killedBy ?? shortMessage ?? 'could not be started' }
  })
  return { ended, stop, kill }
}

function isWishToEnd(signal: string | undefined): boolean {
  return SHUTDOWN_SIGNALS.some(each => each === signal)
}

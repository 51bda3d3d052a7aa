import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { z } from '../platform/zod.js'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { UnhurriedFile } from '../platform/unhurried-file.js'
import { readState, statePath, type Part } from './status.js'

/*
 * The sign of life of a part, `state/pulse-<part>.json`: by the part's own loop and on the disk of `dataDir`, so that a
 * process that was stopped, a loop without end and a disk that hangs all show in its age.
 */

const EVERY_MS = 1000
/** A part that gave no sign for so long stands still. */
export const STANDS_STILL_MS = 10_000
/** How often the loop's delay is measured, ms … */
const DELAY_EVERY_MS = 100
/** … and over how many signs the longest is kept: a scraper comes less often than a sign. */
const DELAYS_KEPT = 15

const vitals = z.object({
  /** Resident memory of the process. */
  rss_bytes: z.number(),
  /** Of JavaScript alone, which has a limit of its own. */
  heap_bytes: z.number(),
  heap_limit_bytes: z.number(),
  /** Since the start of the process, user and system, of all its threads. */
  cpu_seconds: z.number(),
  /** The longest that the loop was kept from its work in the last seconds. */
  loop_delay_seconds: z.number(),
})

const pulse = vitals.extend({
  pid: z.number(),
  at: z.iso.datetime(),
  /** What the part did last, in words. */
  did: z.string(),
})

export type Vitals = z.infer<typeof vitals>
export type Pulse = z.infer<typeof pulse>

interface Whose {
  dataDir: string
  part: Part
  /** The exchange, where several recorders are at work in one dataDir. */
  of?: string | undefined
  log: Logger
}

const pulsePath = (dataDir: string, part: Part, of?: string) => statePath(dataDir, `pulse-${part}`, of)

/**
 * Gives signs of life until the function returned is called, which waits for the one that is being written, if the disk answers.
 * @param did what was done last; undefined while another process gives the signs
 */
export function startPulse({ dataDir, part, of, log }: Whose, did: () => string | undefined): () => Promise<void> {
  const file = new UnhurriedFile(pulsePath(dataDir, part, of))
  const delays: number[] = []
  let written: Promise<unknown> = Promise.resolve()
  const measured = monitorEventLoopDelay({ resolution: DELAY_EVERY_MS })
  measured.enable()
  const beat = () => {
    delays.push(Math.max(0, measured.max / 1e9 - DELAY_EVERY_MS / 1000))
    measured.reset()
    if (delays.length > DELAYS_KEPT) delays.shift()
    const done = did()
    if (done === undefined || file.isBusy) return
    const sign = { pid: process.pid, at: new Date().toISOString(), did: done, ...ownVitals(Math.max(...delays)) }
    written = file.write(JSON.stringify(sign)).catch((error: unknown) => {
      log.debug({ err: messageOf(error) }, 'sign of life not written')
    })
  }
  beat()
  const timer = setInterval(beat, EVERY_MS).unref()
  return async () => {
    clearInterval(timer)
    measured.disable()
    await Promise.race([written, sleep(EVERY_MS, undefined, { ref: false })])
  }
}

function ownVitals(delay: number): Vitals {
  const { user, system } = process.cpuUsage()
  const { used_heap_size, heap_size_limit } = getHeapStatistics()
  return {
    rss_bytes: process.memoryUsage.rss(),
    heap_bytes: used_heap_size,
    heap_limit_bytes: heap_size_limit,
    cpu_seconds: (user + system) / 1e6,
    loop_delay_seconds: Math.round(1e3 * delay) / 1e3,
  }
}

/** The last sign of a part; undefined where it gave none, or one that cannot be read. */
export function readPulse(dataDir: string, part: Part, of?: string): Pulse | undefined {
  return pulse.safeParse(readState(pulsePath(dataDir, part, of))).data
}

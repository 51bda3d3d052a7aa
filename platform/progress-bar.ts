import { createRequire } from 'node:module'
import type { SingleBar } from 'cli-progress'
import { sizeText } from './figures.js'

/** Short work needs no bar: it appears after this, ms. */
const APPEARS_AFTER_MS = 1000
const REDRAW_EVERY_MS = 100
/** Where a step takes long, time goes on nevertheless. */
const TICK_MS = 500

/** How far long work has come, in bytes of files or in steps. */
export interface Progress {
  advance: (by: number) => void
  /** For work whose whole is found while it goes on. */
  reach: (done: number, total: number) => void
  /** Takes the bar off the terminal for as long as `print` writes there. */
  aside: (print: () => void) => void
  stop: () => void
}

const silent: Progress = {
  advance: () => undefined,
  reach: () => undefined,
  aside: print => print(),
  stop: () => undefined,
}

/**
 * A bar with rate and time left on stderr, where that is a terminal; else nothing is shown.
 * @param unit of what there is in all and of what it advances by
 */
export function showProgress(label: string, total: number, unit: 'bytes' | 'steps' = 'bytes'): Progress {
  if (!process.stderr.isTTY) return silent
  const startedMs = performance.now()
  let done = 0
  let all = total
  let drawnMs = startedMs
  let bar: SingleBar | undefined
  const facts = () => {
    const seconds = (performance.now() - startedMs) / 1000
    const text = unit === 'bytes' ? sizeText : count
    const left = secondsLeft(seconds, done, Math.max(0, all - done))
    return { done: text(done), all: text(all), rate: text(done / seconds), left: done === 0 ? '?' : `${left} s` }
  }
  const take = () => {
    bar?.stop()
    bar = undefined
  }
  const draw = () => {
    const now = performance.now()
    if (now - startedMs < APPEARS_AFTER_MS || now - drawnMs < REDRAW_EVERY_MS) return
    drawnMs = now
    bar ??= newBar(label, all, facts())
    bar.setTotal(Math.max(1, all))
    bar.update(Math.min(done, all), facts())
    bar.render()
  }
  const ticking = setInterval(draw, TICK_MS).unref()
  return {
    advance: by => {
      done += by
      draw()
    },
    reach: (now, total) => {
      done = now
      all = total
      draw()
    },
    aside: print => {
      take()
      print()
    },
    stop: () => {
      clearInterval(ticking)
      take()
    },
  }
}

function newBar(label: string, total: number, facts: object): SingleBar {
  // Only what takes long at a terminal needs it.
  const cliProgress = createRequire(import.meta.url)('cli-progress') as typeof import('cli-progress')
  const bar = new cliProgress.SingleBar({
    format: `  ${label} {bar} {percentage} %   {done} of {all}   {rate}/s   {left} left`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
    noTTYOutput: false,
  })
  bar.start(Math.max(1, total), 0, facts)
  return bar
}

const count = (steps: number) => String(Math.round(10 * steps) / 10)

/** How long what is left takes, if it takes as long as what is done did. Pure. */
export function secondsLeft(elapsed: number, done: number, left: number): number {
  return done === 0 ? 0 : Math.ceil((elapsed / done) * left)
}

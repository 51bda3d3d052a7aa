import { SingleBar } from 'cli-progress'
import { sizeText } from './figures.js'

/** Short work needs no bar: it appears after this, ms. */
const APPEARS_AFTER_MS = 1000
const REDRAW_EVERY_MS = 100

/** How far long work has come, in bytes of files or in steps. */
export interface Progress {
  advance: (by: number) => void
  /** Takes the bar off the terminal for as long as `print` writes there. */
  aside: (print: () => void) => void
  stop: () => void
}

const silent: Progress = { advance: () => undefined, aside: print => print(), stop: () => undefined }

/**
 * A bar with rate and time left on stderr, where that is a terminal; else nothing is shown.
 * @param unit of what there is in all and of what it advances by
 */
export function showProgress(label: string, total: number, unit: 'bytes' | 'steps' = 'bytes'): Progress {
  if (!process.stderr.isTTY) return silent
  const startedMs = performance.now()
  let done = 0
  let drawnMs = startedMs
  let bar: SingleBar | undefined
  const facts = () => {
    const seconds = (performance.now() - startedMs) / 1000
    const rate = done / seconds
    const left = rate > 0 ? Math.max(0, total - done) / rate : 0
    const text = unit === 'bytes' ? sizeText : count
    return { done: text(done), all: text(total), rate: text(rate), left: `${Math.ceil(left)} s` }
  }
  const take = () => {
    bar?.stop()
    bar = undefined
  }
  return {
    advance: by => {
      done += by
      const now = performance.now()
      if (now - startedMs < APPEARS_AFTER_MS || now - drawnMs < REDRAW_EVERY_MS) return
      drawnMs = now
      bar ??= newBar(label, total, facts())
      bar.update(Math.min(done, total), facts())
      bar.render()
    },
    aside: print => {
      take()
      print()
    },
    stop: take,
  }
}

function newBar(label: string, total: number, facts: object): SingleBar {
  const bar = new SingleBar({
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

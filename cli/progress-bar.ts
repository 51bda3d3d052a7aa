import { SingleBar } from 'cli-progress'
import pretty from 'pretty-bytes'

/** Short work needs no bar: it appears after this, ms. */
const APPEARS_AFTER_MS = 1000
const REDRAW_EVERY_MS = 100

/** How far long work over files has come, in bytes of these files. */
export interface Progress {
  advance: (bytes: number) => void
  /** Takes the bar off the terminal for as long as `print` writes there. */
  aside: (print: () => void) => void
  stop: () => void
}

const silent: Progress = { advance: () => undefined, aside: print => print(), stop: () => undefined }

/** A bar with rate and time left on stderr, where that is a terminal; else nothing is shown. */
export function showProgress(label: string, totalBytes: number): Progress {
  if (!process.stderr.isTTY) return silent
  const startedMs = performance.now()
  let doneBytes = 0
  let drawnMs = startedMs
  let bar: SingleBar | undefined
  const facts = () => {
    const seconds = (performance.now() - startedMs) / 1000
    const rate = doneBytes / seconds
    const left = rate > 0 ? Math.max(0, totalBytes - doneBytes) / rate : 0
    return { done: size(doneBytes), all: size(totalBytes), rate: size(rate), left: `${Math.ceil(left)} s` }
  }
  const take = () => {
    bar?.stop()
    bar = undefined
  }
  return {
    advance: bytes => {
      doneBytes += bytes
      const now = performance.now()
      if (now - startedMs < APPEARS_AFTER_MS || now - drawnMs < REDRAW_EVERY_MS) return
      drawnMs = now
      bar ??= newBar(label, totalBytes, facts())
      bar.update(Math.min(doneBytes, totalBytes), facts())
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

const size = (bytes: number) => pretty(Math.round(bytes), { binary: true })

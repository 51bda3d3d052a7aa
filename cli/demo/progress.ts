import { SingleBar } from 'cli-progress'
import { z } from '../../platform/zod.js'
import { readStatus } from '../../formats/status.js'
import { countText, sizeText } from '../../platform/figures.js'

/** Without a terminal there is a line every so often, ms. */
const LINE_EVERY_MS = 5000

const recorderStatus = z.object({ frames: z.number(), bytes: z.number(), connections: z.array(z.unknown()) })

export interface Progress {
  show(elapsedMs: number): void
  stop(): void
}

/** How the recording goes, from the recorder's status file: a bar on a terminal, else plain lines. On stderr. */
export function showProgress(dataDir: string, seconds: number): Progress {
  return process.stderr.isTTY ? bar(dataDir, seconds) : plainLines(dataDir)
}

interface Figures {
  frames: string
  perSecond: string
  bytes: string
}

/** Counts from `state/recorder.json`; the rate is that between two looks. */
function figuresFrom(dataDir: string): (elapsedMs: number) => Figures {
  let lastFrames = 0
  let lastMs = 0
  let perSecond = 0
  return elapsedMs => {
    const { data } = recorderStatus.safeParse(readStatus(dataDir, 'recorder'))
    const { frames, bytes } = data ?? { frames: 0, bytes: 0 }
    if (frames !== lastFrames) {
      perSecond = ((frames - lastFrames) * 1000) / Math.max(1, elapsedMs - lastMs)
      lastFrames = frames
      lastMs = elapsedMs
    }
    return {
      frames: countText(frames),
      perSecond: countText(Math.round(perSecond)),
      bytes: sizeText(bytes),
    }
  }
}

function bar(dataDir: string, seconds: number): Progress {
  const figures = figuresFrom(dataDir)
  const bar = new SingleBar({
    format: '  recording {bar} {value}/{total} s   {frames} frames   {perSecond} frames/s   {bytes}',
    barsize: 24,
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  })
  bar.start(seconds, 0, figures(0))
  return {
    show: elapsedMs => bar.update(Math.min(seconds, Math.floor(elapsedMs / 1000)), figures(elapsedMs)),
    stop: () => bar.stop(),
  }
}

function plainLines(dataDir: string): Progress {
  const figures = figuresFrom(dataDir)
  let nextMs = LINE_EVERY_MS
  return {
    show: elapsedMs => {
      if (elapsedMs < nextMs) return
      nextMs = LINE_EVERY_MS * (Math.floor(elapsedMs / LINE_EVERY_MS) + 1)
      const { frames, perSecond, bytes } = figures(elapsedMs)
      const second = Math.floor(elapsedMs / 1000)
      process.stderr.write(`  ${second} s: ${frames} frames, ${perSecond} frames/s, ${bytes}\n`)
    },
    stop: () => undefined,
  }
}

import { setTimeout as sleep } from 'node:timers/promises'
import { onShutdown } from '../../platform/shutdown.js'
import { writeLines } from '../output.js'

const EVERY_MS = 1000
const HOME_AND_CLEAR = '\x1b[H\x1b[J'
const HIDE_CURSOR = '\x1b[?25l'
const SHOW_CURSOR = '\x1b[?25h'

/** Shows a screen anew every second, in place on a terminal, until a signal or until nobody reads any more. */
export async function showEverySecond(screen: () => string, json: boolean): Promise<void> {
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  const inPlace = process.stdout.isTTY && !json
  if (inPlace) process.stdout.write(HIDE_CURSOR)
  try {
    while (!stop.signal.aborted) {
      const text = inPlace ? HOME_AND_CLEAR + fitted(screen()) : `${screen()}${json ? '' : '\n'}`
      if (!(await writeLines([Buffer.from(text)], process.stdout))) return
      await sleep(EVERY_MS, undefined, { signal: stop.signal }).catch((error: unknown) => {
        if (!stop.signal.aborted) throw error
      })
    }
  } finally {
    if (inPlace) process.stdout.write(SHOW_CURSOR)
  }
}

/** A line that wraps, or one too many, would move the screen. */
function fitted(text: string): string {
  const { columns, rows } = process.stdout
  const lines = text.split('\n')
  const shown = lines.length > rows - 1 ? [...lines.slice(0, rows - 2), '…'] : lines
  return shown.map(line => line.slice(0, columns)).join('\n')
}

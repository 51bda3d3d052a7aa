import { join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Logger } from '../platform/log.js'

const DAY_MS = 86_400_000

/** Folders of older dates get new segments only by recovery; looking around regularly finds those. */
function isOld(path: string, nowMs: number): boolean {
  const date = /[\\/]date=(\d{4}-\d\d-\d\d)(?:[\\/]|$)/.exec(path)?.[1]
  return date !== undefined && Date.parse(date) < nowMs - 2 * DAY_MS
}

interface Pause {
  clear: () => void
}

/** Manifests, open and temporary files. A sealed segment's name is the last to appear, so it alone matters. */
const isOtherFile = (path: string) => /\.(json|open|rewriting|tmp)$/.test(path)

/**
 * Calls `appeared` when a sealed segment gets its name below `raw/`, for segments of yesterday and today. Watching is
 * a hint: where it does not work (limits of inotify, network file systems) only speed is lost.
 */
export function watchSegments(dataDir: string, log: Logger, appeared: () => void): { close(): Promise<void> } {
  const watcher = watch(join(dataDir, 'raw'), {
    ignored: path => isOtherFile(path) || isOld(path, Date.now()),
    ignoreInitial: true,
    ignorePermissionErrors: true,
  })
  watcher.on('add', appeared)
  watcher.on('error', error => log.warn({ err: error }, 'watching raw/ failed; new segments are found by looking'))
  return {
    async close() {
      clearPauses(watcher)
      await watcher.close()
    },
  }
}

/** Closing it forgets its pauses, up to 1 s after the beginning of a look into a folder, and leaves them to run out: none may keep the process. */
function clearPauses({ _throttled: pauses }: FSWatcher): void {
  for (const byPath of pauses.values() as Iterable<Map<string, Pause>>) for (const { clear } of byPath.values()) clear()
}

/** Wakes one waiter; a ring while nobody waits is kept for the next. */
export function createBell(): { ring: () => void; rung: () => Promise<void> } {
  let kept = false
  let wake: (() => void) | undefined
  return {
    ring() {
      kept = true
      wake?.()
    },
    async rung() {
      if (!kept) await new Promise<void>(resolve => (wake = resolve))
      kept = false
    },
  }
}

import { basename, dirname, join } from 'node:path'
import { watch, type FSWatcher } from 'chokidar'
import type { Logger } from '../platform/log.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A date's segments are sealed soon after its end. */
const WATCHED_MS = 2 * HOUR_MS
const FORGET_EVERY_MS = 600_000

/** Folders of older dates get new segments only by recovery; looking around regularly finds those. */
function isOld(path: string, nowMs: number): boolean {
  const [, date] = /[\\/]date=(\d{4}-\d\d-\d\d)(?:[\\/]|$)/.exec(path) ?? []
  return date !== undefined && Date.parse(date) + DAY_MS < nowMs - WATCHED_MS
}

interface Pause {
  clear: () => void
}

/** Manifests, open and temporary files. A sealed segment's name is the last to appear, so it alone matters. */
const isOtherFile = (path: string) => /\.(json|open|rewriting|tmp)$/.test(path)

/**
 * Calls `appeared` when a sealed segment gets its name below `raw/`, for segments of today and, soon after midnight, of yesterday; folders of past
 * ones are watched no longer. Watching is a hint: where it does not work (limits of inotify, network file systems) only
 * speed is lost.
 */
export function watchSegments(
  dataDir: string,
  log: Logger,
  appeared: () => void,
  clock: { nowMs: () => number } = { nowMs: Date.now },
): { forgetPast(): void; close(): Promise<void> } {
  const watcher = watch(join(dataDir, 'raw'), {
    ignored: path => isOtherFile(path) || isOld(path, clock.nowMs()),
    ignoreInitial: true,
    ignorePermissionErrors: true,
  })
  watcher.on('add', appeared)
  watcher.on('error', error => log.warn({ err: error }, 'watching raw/ failed; new segments are found by looking'))
  const forgetPast = () => {
    const past = Object.keys(watcher.getWatched()).filter(path => isOld(path, clock.nowMs()))
    if (past.length > 0) forget(watcher, past)
  }
  const forgetting = setInterval(forgetPast, FORGET_EVERY_MS).unref()
  return {
    forgetPast,
    async close() {
      clearInterval(forgetting)
      clearPauses(watcher)
      await watcher.close()
    },
  }
}

/** It would keep a rule and an entry for each path that it was asked to ignore: both grow for ever, and neither is needed. */
function forget(watcher: FSWatcher, paths: readonly string[]): void {
  watcher.unwatch([...paths])
  watcher._ignoredPaths.clear()
  for (const path of paths) {
    watcher._watched.delete(path)
    watcher._watched.get(dirname(path))?.items.delete(basename(path))
  }
}

/** Closing it forgets its pauses, up to 1 s after the beginning of a look into a folder, and leaves them to run out: none may keep the process. */
function clearPauses({ _throttled: pauses }: FSWatcher): void {
  for (const byPath of pauses.values() as Iterable<Map<string, Pause>>) for (const { clear } of byPath.values()) clear()
}

/** Wakes one waiter; a call while nobody waits is kept for the next. */
export function createWakeUp(): { wake: () => void; woken: () => Promise<void> } {
  let kept = false
  let resume: (() => void) | undefined
  return {
    wake() {
      kept = true
      resume?.()
    },
    async woken() {
      if (!kept) await new Promise<void>(resolve => (resume = resolve))
      kept = false
    },
  }
}

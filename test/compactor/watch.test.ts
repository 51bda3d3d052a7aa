import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { watchSegments } from '../../compactor/watch.js'
import { createLogger } from '../../platform/log.js'
import { dateOf } from '../../platform/utc-date.js'
import { until } from '../fixtures/recorder-process.js'

const DAY_MS = 86_400_000

/** Folders that this process has inotify watch. */
function watchedFolders(): number {
  return readdirSync('/proc/self/fdinfo').reduce((sum, fd) => {
    try {
      return sum + (readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').match(/^inotify wd:/gm)?.length ?? 0)
    } catch (error) {
      // It was closed meanwhile.
      t.match(error, { code: 'ENOENT' })
      return sum
    }
  }, 0)
}

t.test('folders of past dates are watched no longer, and new ones are', async t => {
  const dataDir = t.testdir()
  const startMs = Date.parse('2026-11-22T12:00:00Z')
  let nowMs = startMs
  const dateFolder = (ms: number, channel = 'trades') => {
    const folder = join(dataDir, `raw/exchange=deribit/channel=${channel}/date=${dateOf(ms)}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }
  for (let day = -48; day <= 0; day++)
    for (const channel of ['trades', 'book']) dateFolder(startMs + day * DAY_MS, channel)
  let appeared = 0
  const watcher = watchSegments(dataDir, createLogger('compactor', 'silent'), () => appeared++, { nowMs: () => nowMs })
  t.teardown(() => watcher.close())
  const tryAt = async (what: string) => {
    const before = appeared
    let n = 0
    const folder = dateFolder(nowMs)
    await until(what, () => {
      if (appeared === before) writeFileSync(join(folder, `2026-${n++}.jsonl.zst`), '')
      return appeared > before
    })
  }
  await tryAt('a segment of now is seen')
  await until('of 98 folders of dates few are watched', () => watchedFolders() < 12)
  const atFirst = watchedFolders()
  for (let day = 1; day <= 30; day++) {
    nowMs = startMs + day * DAY_MS
    await tryAt(`day ${day}`)
    watcher.forgetPast()
  }
  t.ok(watchedFolders() <= atFirst + 6, `as many as at first, not one more each day: ${atFirst}, ${watchedFolders()}`)
})

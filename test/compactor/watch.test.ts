import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { watchSegments } from '../../compactor/watch.js'
import { createLogger } from '../../platform/log.js'
import { until } from '../fixtures/recorder-process.js'

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

t.test('folders of past hours are watched no longer, and new ones are', async t => {
  const dataDir = t.testdir()
  const startMs = Date.parse('2026-11-22T12:00:00Z')
  let nowMs = startMs
  const hourFolder = (ms: number, channel = 'trades') => {
    const [date = '', time = ''] = new Date(ms).toISOString().split('T')
    const folder = join(dataDir, `raw/exchange=deribit/channel=${channel}/date=${date}/hour=${time.slice(0, 2)}`)
    mkdirSync(folder, { recursive: true })
    return folder
  }
  for (let hour = -48; hour <= 0; hour++)
    for (const channel of ['trades', 'book']) hourFolder(startMs + hour * 3_600_000, channel)
  let appeared = 0
  const watcher = watchSegments(dataDir, createLogger('compactor', 'silent'), () => appeared++, { nowMs: () => nowMs })
  t.teardown(() => watcher.close())
  const tryAt = async (what: string) => {
    const before = appeared
    let n = 0
    const folder = hourFolder(nowMs)
    await until(what, () => {
      if (appeared === before) writeFileSync(join(folder, `2026-${n++}.jsonl.zst`), '')
      return appeared > before
    })
  }
  await tryAt('a segment of now is seen')
  await until('of 98 folders of hours few are watched', () => watchedFolders() < 20)
  const atFirst = watchedFolders()
  for (let hour = 1; hour <= 30; hour++) {
    nowMs = startMs + hour * 3_600_000
    await tryAt(`hour ${hour}`)
    watcher.forgetPast()
  }
  t.ok(watchedFolders() <= atFirst + 6, `as many as at first, not one more each hour: ${atFirst}, ${watchedFolders()}`)
})

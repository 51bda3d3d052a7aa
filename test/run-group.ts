/** Runs files of tests one after the other in this process, and says behind each what was its share. */
import { once } from 'node:events'
import t from 'tap'
import { groupMark } from './results.js'

for (const file of process.argv.slice(2)) {
  const begunMs = performance.now()
  const before = process.cpuUsage()
  await import(new URL(file.replace(/^test\/(.*)\.ts$/, './$1.js'), import.meta.url).href)
  while (!t.idle) await once(t, 'idle')
  const { user, system } = process.cpuUsage(before)
  t.comment(groupMark(file, { seconds: (performance.now() - begunMs) / 1000, processors: (user + system) / 1e6 }))
}

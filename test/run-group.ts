/** Runs files of tests one after the other in this process, and says behind each what was its share. */
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import t from 'tap'
import { processorSeconds } from './processor-seconds.js'
import { groupMark } from './results.js'

/** What is to be done at the end of the file that runs, last said first: the top level is of all files, and ends with the last. */
const ends: (() => unknown)[] = []
t.teardown = t.after = end => {
  ends.push(end)
}
const { testdirName } = t

async function endOfFile(): Promise<void> {
  for (let end = ends.pop(); end !== undefined; end = ends.pop()) await end()
  rmSync(t.testdirName, { recursive: true, force: true })
  t.jobs = 1
}

for (const [place, file] of process.argv.slice(2).entries()) {
  const begunMs = performance.now()
  const before = processorSeconds()
  t.testdirName = `${testdirName}-${place}`
  await import(new URL(file.replace(/^test\/(.*)\.ts$/, './$1.js'), import.meta.url).href)
  while (!t.idle) await once(t, 'idle')
  await endOfFile()
  const seconds = (performance.now() - begunMs) / 1000
  t.comment(groupMark(file, { seconds, processors: processorSeconds() - before }))
}

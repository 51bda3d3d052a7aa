// Puts back what it changes of the process.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compactOnce } from './fixtures/compacted.js'

const DAYS = 400
const DAY_MS = 86_400_000

/** A signal that counts how often it is asked, which is once for each date that is looked at. */
function counted(controller: AbortController, onAsked: (count: number) => void): AbortSignal {
  const { signal } = controller
  let isAborted = false
  signal.addEventListener('abort', () => (isAborted = true))
  let count = 0
  Object.defineProperty(signal, 'aborted', {
    get: () => {
      onAsked(++count)
      return isAborted
    },
  })
  return signal
}

t.test('a compactor that looks at years hears SIGTERM, and ends before it has looked at all', async t => {
  const dataDir = t.testdir()
  for (let day = 0; day < DAYS; day++) {
    const date = new Date(Date.parse('2026-11-22') - day * DAY_MS).toISOString().slice(0, 10)
    mkdirSync(join(dataDir, `raw/exchange=deribit/channel=quote/date=${date}/hour=00`), { recursive: true })
  }
  let asked = 0
  const count = (number: number) => {
    asked = number
  }
  await compactOnce(dataDir, { signal: counted(new AbortController(), count) })
  t.ok(asked > DAYS, `looks at each date: ${asked}`)

  const controller = new AbortController()
  process.once('SIGTERM', () => controller.abort())
  const signal = counted(controller, number => {
    count(number)
    if (number === 5) process.kill(process.pid, 'SIGTERM')
  })
  t.match(await compactOnce(dataDir, { signal }), { segments: 0, failed: 0 })
  t.ok(controller.signal.aborted)
  t.ok(asked < DAYS / 2, `looked at ${asked} dates`)
})

import { writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { History } from '../../../monitor/http/history.js'
import { seenAt } from '../../fixtures/seen-rate.js'

const NOON_MS = Date.parse('2026-11-22T12:00:00Z')

t.test('what was drawn before a restart of the page is drawn after it, with a hole between', async t => {
  const dataDir = t.testdir({ state: {} })
  const before = new History(dataDir)
  await before.load(NOON_MS)
  // Now and then a burst, as at the start of an hour.
  for (let step = 0; step < 14 * 60; step++)
    before.note(seenAt(NOON_MS + 5000 * step, step % 300 < 3 ? 400 : 40 + (step % 2)))
  await before.saveLast(5000)
  const endMs = NOON_MS + 5000 * (14 * 60 - 1)

  const after = new History(dataDir)
  await after.load(endMs + 31_000)
  after.note(seenAt(endMs + 31_000, 70))
  const { series, usual, atMs } = after.all()
  t.equal(atMs, endMs + 31_000)
  t.same(series['rate deribit quote']?.slice(-8), [40, 41, null, null, null, null, null, 70])
  t.same(series['price deribit BTC-PERPETUAL']?.slice(-7, -6), [90_000.5])
  t.same(series['spread deribit BTC-PERPETUAL']?.at(-1), 2.5)
  t.same(series['lag deribit']?.at(-1), 30)
  t.equal(series['lag deribit']?.length, 180, 'a quarter of an hour')
  const [low = 0, high = 0] = usual['rate deribit quote'] ?? []
  t.ok(low > 40 && low < 60 && high < 70, `usual: ${low} to ${high}`)

  const long = new History(dataDir)
  await long.load(endMs + 86_400_000 * 3)
  t.same(long.all().series, {}, 'of days ago nothing is drawn')
})

t.test('a file of the past that is no such thing is not believed', async t => {
  const dataDir = t.testdir()
  mkdirSync(join(dataDir, 'state'))
  for (const text of ['{"at_ms":1,"series":{"a":["x"]}}', 'half a fi', '[]']) {
    writeFileSync(join(dataDir, 'state', 'monitor-history.json'), text)
    const history = new History(dataDir)
    await history.load(NOON_MS)
    t.same(history.all().series, {}, text)
  }
})

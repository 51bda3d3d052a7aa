/** The short form of `npm run bench years`: of the calls alone, which no busy machine changes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decompress } from 'zstd-napi'
import { makeDay } from '../../bench/years/day.js'
import { HOUR_MS, polled, segmentsOf } from '../../bench/years/hours.js'
import { costsOfYears } from '../../bench/years/main.js'
import { parseManifest } from '../../formats/manifest.js'
import { withState } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording } from '../fixtures/made-recording.js'
import { needs } from '../fixtures/needs.js'

// Mostly waits.

/**
 * What has to do with the days around a moment may find two more of them, and segments of the day before that may reach to
 * midnight; what starts writes files of its own.
 */
const MOST = [
  { name: 'ready view, one moment', times: 4 },
  { name: 'recorder, start', times: 1.2 },
  { name: 'status', times: 1.1 },
  { name: 'coverage --date', times: 2 },
]

t.test('ten days cost what one costs', { timeout: 300_000 }, async t => {
  if (!needs(t, 'strace')) return
  const only = new RegExp(`^(?:${MOST.map(({ name }) => name).join('|')})$`)
  const { costs } = await costsOfYears({ days: [1, 10], hours: 2, only, callsOnly: true })
  for (const { name, times } of MOST) {
    const [one = NaN, ten = NaN] = (costs.get(name) ?? []).map(({ calls }) => calls ?? NaN)
    t.ok(ten <= times * one + 500, `${name}: ${one} calls with one day, ${ten} with ten`)
  }
})

t.test('a day has segments where a recorder would make them', async t => {
  const MIB = 1024 * 1024
  const day = { fromMs: Date.parse('2026-11-01'), hours: 24, long: { hours: 6, bytes: 4 * MIB } }
  const hoursOf = (channel: string, bytesIn: (hourMs: number) => number | undefined) =>
    segmentsOf(channel, bytesIn, day).map(({ hoursMs }) => hoursMs.map(ms => (ms - day.fromMs) / HOUR_MS))
  const sixes = [0, 6, 12, 18]

  t.same(
    hoursOf('much', () => 3 * MIB),
    hoursOf('journal', () => 1),
    'each hour its own',
  )
  t.equal(hoursOf('journal', () => 1).length, 24)
  t.same(
    hoursOf('little', () => 1),
    sixes.map(from => [0, 1, 2, 3, 4, 5].map(hour => from + hour)),
  )
  t.same(hoursOf('between', () => MIB)[0], [0, 1, 2, 3], 'until it is full')
  t.same(
    hoursOf('asked for', polled(3 * MIB, 6 * HOUR_MS)),
    sixes.map(hour => [hour]),
    'once in six hours',
  )
  t.equal(polled(5, HOUR_MS / 4)(day.fromMs), 20, 'four times an hour')
})

t.test('segments of the made days had no checksum, as no recorder writes them', async t => {
  const [recorded, dataDir] = [join(t.testdir(), 'recorded'), join(t.testdirName, 'box')]
  const recvUs = Date.UTC(2026, 10, 22, 14) * 1000
  writeRecording(recorded, [{ family: 'platform_state', conn: 'd1', recvUs, frame: '{}' }])
  const families = [...rawFiles(recorded, { states: ['sealed'] })].map(({ path, name }) => {
    const manifest = parseManifest(readFileSync(join(recorded, withState(path, 'manifest')), 'utf8'), path)
    const text = decompress(readFileSync(join(recorded, path))).toString('utf8')
    return { name, manifest, text, bytesIn: () => 1 }
  })
  await makeDay(families, dataDir, '2026-11-21', 2)
  const { stdout } = await commandHere(['verify', 'raw', dataDir])
  t.match(stdout, /raw: 1 segments/)
  t.notMatch(stdout, /ZSTD_/)
})

import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { localDisk } from '../../platform/disk.js'
import { withState } from '../../formats/raw-path.js'
import { findOpenSegments } from '../../recorder/storage/open-segments.js'
import { killRounds, linesSoFar } from '../fixtures/kill-rounds.js'
import { canTrace, needs, needsThat } from '../fixtures/needs.js'
import { numberedExchange } from '../fixtures/numbered-exchange.js'
import { framesTaken, rawFiles, startRecorder, until } from '../fixtures/recorder-process.js'
import { quoteLine, seal, sealedLines, writeOpenSegment } from '../fixtures/segments.js'

// They mostly wait.
t.jobs = 3

t.test(
  'kill -9 under load, again and again: nothing flushed is lost, doubled or changed, and the journal has it',
  async t => {
    const found = await killRounds(t, t.testdir({}), { rounds: 2, framesPerSecond: 3000, longestLifeMs: 500 })
    t.ok(found.frames >= found.flushed && found.flushed > 0, `${found.flushed} lines flushed, ${found.frames} kept`)
    t.match(found, { kills: 2, lost: 0, doubled: 0, unreadable: 0 })
  },
)

/** Kills of which the middle one counts: a machine that is busy may hold a recorder up now and then. */
const KILLS = 3
const LOST_MS_MAX = 200

for (const perSecond of [100, 2000]) {
  t.test(`kill -9 at ${perSecond} frames/s loses a tenth of a second, not a whole flushMs`, async t => {
    const exchange = await numberedExchange({ perSecond })
    t.teardown(() => exchange.close())
    const lostMs: number[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const folder = t.testdir({})
      const recorder = startRecorder(t, folder, { url: exchange.url }, { flushMs: 1000 })
      await until('frames are recorded', () => framesTaken(recorder, 'quote') > perSecond / 2, 60_000)
      const killedUs = Date.now() * 1000
      recorder.process.kill('SIGKILL')
      await recorder.process
      const lastUs = Math.max(...linesSoFar(recorder.dataDir, 'quote').map(({ recvUs }) => recvUs))
      lostMs.push((killedUs - lastUs) / 1000)
    }
    lostMs.sort((one, other) => one - other)
    t.comment(`lost, ms: ${lostMs.map(ms => ms.toFixed(0)).join(', ')}`)
    t.ok((lostMs[KILLS >> 1] ?? Infinity) < LOST_MS_MAX, `${lostMs.join(', ')} ms`)
  })
}

const LINES = 60
/** System calls of a recovery on which the process is killed, counted by thread; crash-table.test.ts does so before each step. */
const POINTS: [call: string, ...when: number[]][] = [
  ['rename', 2],
  ['fdatasync', 2],
]

t.test('killed at any step of a recovery, the next one ends it', async t => {
  if (!needs(t, 'strace') || !needsThat(t, canTrace(), 'needs the right to trace processes')) return
  const folder = t.testdir({ made: {} })
  const path = writeOpenSegment(join(folder, 'made'), LINES, 10)
  const exchange = await numberedExchange({ perSecond: 100 })
  t.teardown(() => exchange.close())
  for (const [call, ...times] of POINTS) {
    for (const when of times) {
      const name = `${call}-${when}`
      const dataDir = join(folder, name, 'data')
      cpSync(join(folder, 'made'), dataDir, { recursive: true })
      const config = join(folder, name, 'edgetape.yaml')
      writeFileSync(
        config,
        JSON.stringify({
          host: 'vps1',
          dataDir,
          exchange: { name: 'deribit', url: exchange.url },
          segments: { reserveMiB: 1 },
        }),
      )
      const command = [process.execPath, join(packageRoot, 'dist/cli/main.js'), 'record', '--config', config]
      const inject = `inject=${call}:signal=SIGKILL:when=${when}`
      const options = ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${call}`, '-e', inject]
      // Anything that does not come that far is ended here.
      const killed = spawnSync('strace', [...options, ...command], { stdio: 'ignore', timeout: 60_000 })
      t.equal(killed.signal ?? killed.status, 'SIGKILL', `${name}: was killed`)
      for (const left of findOpenSegments(localDisk, dataDir, 'deribit', 'vps1').filter(left => left === path))
        seal(dataDir, left)
      t.same(
        sealedLines(dataDir, withState(path, 'sealed')),
        Array.from({ length: LINES }, (_, index) => quoteLine(index + 1)),
        name,
      )
    }
  }
})

t.test('two recorders that recover at once: one does, the other says who is at work', async t => {
  const folder = t.testdir({})
  const dataDir = join(folder, 'data')
  const paths = Array.from({ length: 20 }, (_, index) => writeOpenSegment(dataDir, LINES, 10, index + 1))
  const exchange = await numberedExchange({ perSecond: 100 })
  t.teardown(() => exchange.close())
  const both = [1, 2].map(() => startRecorder(t, folder, { url: exchange.url }))
  const loser = await Promise.race(
    both.map(async ({ process }, index) => {
      const { exitCode, stderr } = await process
      return { index, exitCode, stderr }
    }),
  )
  t.equal(loser.exitCode, 1)
  t.match(loser.stderr, 'another recorder is running here')
  const winner = both[1 - loser.index]
  if (!winner) throw new Error('there were two')
  await until('it records', () => framesTaken(winner, 'quote') > 0)
  await until('all are sealed', () => paths.every(path => rawFiles(dataDir).includes(withState(path, 'sealed'))))
  winner.process.kill()
  t.equal((await winner.process).exitCode, 0)
  for (const path of paths) t.equal(sealedLines(dataDir, withState(path, 'sealed')).length, LINES)
  t.notMatch(readFileSync(join(dataDir, withState(paths[0] ?? '', 'manifest')), 'utf8'), 'recovered')
})

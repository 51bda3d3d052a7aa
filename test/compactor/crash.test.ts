import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { writeBacklog } from './fixtures/backlog.js'
import { filesBelow, hashes, query } from './fixtures/compacted.js'
import { compactByCommand, killCompact } from './fixtures/kill-rounds.js'
import { needsThat } from '../fixtures/needs.js'

const HOURS = 2
const FRAMES = 400
/** More of them with `npm run long compactor-kills`. */
const KILLS = Number(process.env['EDGETAPE_KILLS'] ?? 5)

const outputs = (dataDir: string) => ({ ...hashes(join(dataDir, 'parquet')), ...hashes(join(dataDir, 'quarantine')) })

t.setTimeout(KILLS * 20_000 + 200_000)

/** What an undisturbed compactor makes of the backlog, and how long that takes it. */
const { expected, wholeMs } = await reference(t.testdir({}))

async function reference(dataDir: string): Promise<{ expected: Record<string, string>; wholeMs: number }> {
  writeBacklog(dataDir, HOURS, FRAMES)
  const startedMs = performance.now()
  t.match(await compactByCommand(dataDir), { code: 0 })
  return { expected: outputs(dataDir), wholeMs: performance.now() - startedMs }
}

async function checkSame(t: Test, dataDir: string): Promise<void> {
  t.match(await compactByCommand(dataDir), { code: 0 })
  t.same(outputs(dataDir), expected, 'the same files, byte for byte')
  t.same(filesBelow(join(dataDir, 'state/compactor/tmp')), [])
  t.same(filesBelow(join(dataDir, 'state/compactor/switch')), [])
}

t.test(`${KILLS} kills at random moments over a backlog, roll-up included`, async t => {
  const root = t.testdir({})
  t.equal(Object.keys(expected).filter(path => path.includes('/day-')).length, 6, 'days are rolled up')
  let dataDir = ''
  let kills = 0
  for (let round = 0; kills < KILLS && round < 4 * KILLS; round++) {
    if (round % 5 === 0) {
      if (dataDir !== '') await checkSame(t, dataDir)
      dataDir = join(root, `killed-${round}`)
      writeBacklog(dataDir, HOURS, FRAMES)
    }
    const wasAtWork = await killCompact(dataDir, wholeMs * (0.2 + 0.8 * Math.random()))
    if (wasAtWork) kills++
    const [seen] = filesBelow(join(dataDir, 'parquet')).length > 0 ? await readAll(dataDir) : [{ copies: 0n }]
    t.match(seen, { copies: 0n }, 'whatever is there can be read, and has each row once')
  }
  t.equal(kills, KILLS)
  await checkSame(t, dataDir)
})

const readAll = (dataDir: string) =>
  query(`SELECT count(*) - count(DISTINCT (instrument_name, seq, split_part(split_part(filename, 'table=', 2), '/', 1))) AS copies
    FROM read_parquet('${dataDir}/parquet/**/*.parquet', union_by_name = true, filename = true)`)

t.test('a full disk in the middle, then room again', async t => {
  if (!needsThat(t, canMount(), 'mounting a tmpfs')) return
  const root = t.testdir({ disk: {} })
  const disk = join(root, 'disk')
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=100m', 'tmpfs', disk])
  try {
    await fillAndFree(t, disk)
  } finally {
    spawnSync('umount', ['-l', disk])
  }
})

async function fillAndFree(t: Test, disk: string): Promise<void> {
  writeBacklog(disk, HOURS, FRAMES)
  for (const spareKiB of [8, 60]) {
    spawnSync('mount', ['-o', `remount,size=${usedKiB(disk) + spareKiB}k`, disk])
    t.not((await compactByCommand(disk)).code, 0, `${spareKiB} KiB left`)
    const [seen] = filesBelow(join(disk, 'parquet')).length > 0 ? await readAll(disk) : [{ copies: 0n }]
    t.match(seen, { copies: 0n })
  }
  spawnSync('mount', ['-o', 'remount,size=100m', disk])
  await checkSame(t, disk)
}

const usedKiB = (folder: string) =>
  Number(spawnSync('df', ['--output=used', '-k', folder], { encoding: 'utf8' }).stdout.trim().split('\n').at(-1))

function canMount(): boolean {
  return process.getuid?.() === 0 && spawnSync('mount', ['--version']).status === 0
}

t.test('of two compactors at once one gives way, and the files are the same', async t => {
  const root = t.testdir({})
  const dataDir = join(root, 'twice')
  writeBacklog(dataDir, HOURS, FRAMES)
  const both = await Promise.all([compactByCommand(dataDir), compactByCommand(dataDir)])
  t.equal(both.filter(({ code }) => code === 0).length, 1)
  t.ok(both.some(({ said }) => said.includes('LOCK_HELD') || said.includes('another compactor')))
  await checkSame(t, dataDir)
})

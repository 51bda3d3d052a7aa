import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { realDisk } from '../../compactor/segment/publish.js'
import { writeBacklog } from './fixtures/backlog.js'
import { compactOnce, configFor, filesBelow, hashes, query } from './fixtures/compacted.js'
import { compactByCommand, killCompact } from './fixtures/kill-rounds.js'
import { needsThat } from '../fixtures/needs.js'

const HOURS = 2
const FRAMES = 400
/** More of them with `npm run long compactor-kills`. */
const KILLS = Number(process.env['EDGETAPE_KILLS'] ?? 2)

const outputs = (dataDir: string) => ({ ...hashes(join(dataDir, 'parquet')), ...hashes(join(dataDir, 'quarantine')) })
/** As the command does, without a process of its own. */
const compact = (dataDir: string, more: Parameters<typeof compactOnce>[1] = {}) =>
  compactOnce(dataDir, { config: configFor(dataDir, { rollUpAfterMinutes: 0 }), nowMs: Date.now, ...more })

t.setTimeout(KILLS * 20_000 + 200_000)

/** What an undisturbed compactor makes of the backlog, before and after rolling up, and how long that takes it. */
const { hourly, expected, wholeMs } = await reference(t.testdir({}))

async function reference(dataDir: string) {
  writeBacklog(dataDir, HOURS, FRAMES)
  await compact(dataDir, { config: configFor(dataDir, { rollUp: false }) })
  const hourly = outputs(dataDir)
  rmSync(dataDir, { recursive: true })
  writeBacklog(dataDir, HOURS, FRAMES)
  const startedMs = performance.now()
  t.match(await compactByCommand(dataDir), { code: 0 })
  return { hourly, expected: outputs(dataDir), wholeMs: performance.now() - startedMs }
}

/** Whatever is there can be read, is as it will stay or be rolled up, and has each row once. */
async function checkWhole(t: Test, dataDir: string): Promise<void> {
  if (filesBelow(join(dataDir, 'parquet')).length === 0) return
  const known = new Set([...Object.values(hourly), ...Object.values(expected)])
  const strange = Object.entries(hashes(join(dataDir, 'parquet'))).filter(([, sha256]) => !known.has(sha256))
  t.same(strange, [], 'whole files')
  const [seen] = await query(`SELECT count(*) -
      count(DISTINCT (instrument_name, seq, split_part(split_part(filename, 'table=', 2), '/', 1))) AS copies
    FROM read_parquet('${dataDir}/parquet/**/*.parquet', union_by_name = true, filename = true)`)
  t.match(seen, { copies: 0n }, 'each row once')
}

async function checkSame(t: Test, dataDir: string): Promise<void> {
  t.match(await compact(dataDir), { failed: 0 })
  t.same(outputs(dataDir), expected, 'the same files, byte for byte')
  t.same(filesBelow(join(dataDir, 'state/compactor/tmp')), [])
  t.same(filesBelow(join(dataDir, 'state/compactor/switch')), [])
}

t.test(`${KILLS} kills at random moments over a backlog, roll-up included`, async t => {
  const root = t.testdir({})
  t.equal(Object.keys(expected).filter(path => path.includes('/day-')).length, 7, 'days are rolled up')
  let dataDir = ''
  let kills = 0
  for (let round = 0; kills < KILLS && round < 4 * KILLS; round++) {
    if (dataDir === '') {
      dataDir = join(root, `killed-${round}`)
      writeBacklog(dataDir, HOURS, FRAMES)
    }
    const wasAtWork = await killCompact(dataDir, wholeMs * (0.2 + 0.8 * Math.random()))
    await checkWhole(t, dataDir)
    if (wasAtWork) kills++
    if (!wasAtWork || kills % 5 === 0 || kills === KILLS) {
      await checkSame(t, dataDir)
      dataDir = ''
    }
  }
  t.equal(kills, KILLS)
})

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
    const failed = await compact(disk).then(
      summary => summary.failed,
      () => 1,
    )
    t.not(failed, 0, `${spareKiB} KiB left`)
    await checkWhole(t, disk)
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
  let other: ReturnType<typeof compactByCommand> | undefined
  const disk = {
    ...realDisk,
    fsyncFile: async (path: string) => {
      other ??= compactByCommand(dataDir)
      await other
      await realDisk.fsyncFile(path)
    },
  }
  t.match(await compact(dataDir, { disk }), { failed: 0 })
  const { code, said } = (await other) ?? { code: 0, said: '' }
  t.not(code, 0)
  t.match(said, /LOCK_HELD|another compactor/)
  await checkSame(t, dataDir)
})

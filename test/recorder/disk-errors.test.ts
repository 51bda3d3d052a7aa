import t from 'tap'
import {
  checkAccount,
  NOISE,
  peakMiB,
  recordNumbered,
  RESIDENT_MIB_MAX,
  stopAndRead,
} from '../fixtures/frame-account.js'
import { journalText } from '../fixtures/kill-rounds.js'
import { needs, needsThat } from '../fixtures/needs.js'
import { numberedExchange } from '../fixtures/numbered-exchange.js'
import { statusOf, until, type RecorderProcess } from '../fixtures/recorder-process.js'
import { blockDisk, canMount, SHUT_DOWN, type SmallDisk } from '../fixtures/small-disk.js'

t.jobs = 3
t.setTimeout(240_000)

const failures: { name: string; code: string; breakIt: (disk: SmallDisk) => void }[] = [
  {
    name: 'a file system that the kernel made read-only',
    code: 'EROFS',
    breakIt: disk => void disk.run('mount', '-o', 'remount,abort', disk.mountPoint),
  },
  {
    name: 'a device that answers with errors',
    code: 'EIO',
    breakIt: disk => void disk.run('python3', '-c', SHUT_DOWN, disk.mountPoint),
  },
]

for (const { name, code, breakIt } of failures) {
  t.test(
    `${name}: the recorder lives on and ends in time, and all but the last moment is there after the repair`,
    async t => {
      if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
      if (!needs(t, 'ext4') || !needs(t, 'python')) return
      const exchange = await numberedExchange({ perSecond: 500, noise: NOISE })
      t.teardown(() => exchange.close())
      const folder = t.testdir({})
      const disk = await blockDisk(t, folder, 'ext4', 64)
      const recorder = await recordNumbered(t, disk.path, exchange)
      await goesOn(recorder)
      breakIt(disk)
      const brokenUs = Date.now() * 1000
      const sent = exchange.sent
      await until('frames are taken', () => exchange.sent > sent + 2000)
      t.ok(exchange.sent > sent + 1000, 'frames are still taken')
      t.ok(peakMiB(recorder) < RESIDENT_MIB_MAX, `${Math.round(peakMiB(recorder))} MiB resident at most`)
      recorder.process.kill('SIGTERM')
      const { exitCode, stderr } = await recorder.process
      t.equal(exitCode, 1, 'it says that something is wrong')
      t.match(stderr, /the journal could not be written; [1-9][0-9]* frames are lost/)
      t.match(stderr, code)
      const told = stderr.split('\n').filter(line => line.includes(code)).length
      t.ok(told < 30, `${told} lines about it`)

      disk.run('umount', disk.mountPoint)
      disk.run('sh', '-c', 'e2fsck -fy "$0" >/dev/null 2>&1; [ $? -lt 4 ]', `${folder}/image`)
      disk.run('mount', '-o', 'loop', `${folder}/image`, disk.mountPoint)
      const next = await recordNumbered(t, disk.path, exchange)
      await goesOn(next)
      exchange.channels = []
      const lines = (await stopAndRead(t, next)).filter(({ conn, recvUs }) => conn === 'd1' && recvUs < brokenUs)
      // Families are synced one after the other: a few frames before the last sync may be missing, too.
      lines.sort((one, other) => one.seq - other.seq)
      const hole = lines.findIndex(({ seq }, index) => seq !== index + 1)
      const lastWhole = lines.at(hole === -1 ? -1 : hole - 1)
      const missingMs = Math.round((brokenUs - (lastWhole?.recvUs ?? 0)) / 1000)
      t.ok(missingMs < 1500, `without a hole until ${missingMs} ms before the fault`)
    },
  )
}

t.test('a quota that is used up, and raised: it goes on, and each frame is there or told', async t => {
  if (!needsThat(t, canMount(), 'needs the right to mount: run as root, with util-linux')) return
  if (!needs(t, 'btrfs')) return
  const exchange = await numberedExchange({ perSecond: 1000, noise: NOISE })
  t.teardown(() => exchange.close())
  const disk = await blockDisk(t, t.testdir({}), 'btrfs', 256)
  disk.run('btrfs', 'quota', 'enable', disk.mountPoint)
  disk.run('btrfs', 'qgroup', 'limit', '8M', disk.mountPoint)
  const recorder = await recordNumbered(t, disk.path, exchange)
  await until('it is noticed', () => journalText(recorder.dataDir).includes('EDQUOT'))
  // To raise it takes room, too, which there may be none of for a moment.
  await until('the quota is raised', () => doesRun(() => disk.run('btrfs', 'qgroup', 'limit', 'none', disk.mountPoint)))
  await goesOn(recorder)
  exchange.channels = []
  const { lostFrames } = checkAccount(t, await stopAndRead(t, recorder))
  // A machine that is busy enough raises it only after memory is full.
  t.comment(`${lostFrames} frames lost`)
})

function doesRun(action: () => void): boolean {
  try {
    action()
    return true
  } catch {
    return false
  }
}

/** Waits until frames are written again. */
async function goesOn(recorder: RecorderProcess): Promise<void> {
  const framesStored = () => Number(statusOf(recorder)['stored_frames'] ?? 0)
  const before = framesStored()
  await until('it goes on', () => framesStored() > before + 1000 && Number(statusOf(recorder)['waiting_bytes']) < 1e6)
}

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { localDisk, type Disk } from '../../platform/disk.js'
import { atOnce, StepsAside, type DiskSteps } from '../../platform/disk-steps.js'

/** Syncs a folder that is there, one that is not, and one that is; says what failed. */
function* threeFolders(root: string, done: string[]): DiskSteps<string> {
  let failed = ''
  for (const name of ['one', 'none', 'other']) {
    try {
      yield { syncFolder: join(root, name) }
      done.push(name)
    } catch (error) {
      failed += `${name} ${(error as NodeJS.ErrnoException).code ?? ''}`
    }
    yield
  }
  return failed
}

function folders(root: string): string {
  for (const name of ['one', 'other']) mkdirSync(join(root, name))
  return root
}

t.test('what fails is thrown into the steps, which may go on', t => {
  const done: string[] = []
  t.equal(atOnce(localDisk, threeFolders(folders(t.testdir({})), done)), 'none ENOENT')
  t.same(done, ['one', 'other'])
  t.end()
})

t.test('aside, the same; the next step comes when the disk has done what it was asked for', async t => {
  const done: string[] = []
  let woken = 0
  const steps = new StepsAside(localDisk, threeFolders(folders(t.testdir({})), done), () => woken++)
  let step = steps.next()
  for (let turns = 0; step.done !== true && turns < 10_000; turns++) {
    if (steps.waitsSinceMs !== undefined) t.same(steps.next(), { done: false, value: undefined })
    await new Promise(resolve => setImmediate(resolve))
    step = steps.next()
  }
  t.equal(step.value, 'none ENOENT')
  t.same(done, ['one', 'other'])
  t.equal(woken, 3)
})

t.test('what is left is done at once when it must end', t => {
  const told: (() => void)[] = []
  const disk: Disk = { ...localDisk, syncFolderAside: (_path, tell) => void told.push(() => tell(new Error('EIO'))) }
  const done: string[] = []
  const steps = new StepsAside(disk, threeFolders(folders(t.testdir({})), done), () => undefined)
  steps.next()
  told[0]?.()
  t.equal(steps.finish(), 'one none ENOENT')
  t.same(done, ['other'])
  t.end()
})

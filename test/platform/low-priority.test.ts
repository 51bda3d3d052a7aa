import { constants } from 'node:os'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

const LOWEST = constants.priority.PRIORITY_LOW

/** What each thread of a process says of itself: before, after, and with one that came later. */
const PROGRAM = `
  import { spawnSync } from 'node:child_process'
  import { readdirSync, readFileSync, writeSync } from 'node:fs'
  import { readFile } from 'node:fs/promises'
  import { Worker } from 'node:worker_threads'
  import { lowerPriority } from './dist/platform/low-priority.js'
  const niceness = () =>
    readdirSync('/proc/self/task').map(thread =>
      Number(readFileSync('/proc/self/task/' + thread + '/stat', 'utf8').split(') ')[1].split(' ')[16]),
    )
  await readFile('/proc/self/stat')
  const before = niceness()
  lowerPriority()
  const lowered = niceness()
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
  await new Promise(resolve => worker.once('online', resolve))
  const disk = spawnSync('ionice', ['-p', ...readdirSync('/proc/self/task')], { encoding: 'utf8' }).stdout
  writeSync(1, JSON.stringify({ before, lowered, later: niceness(), disk }))
  process.exit()
`

const run = (env: Record<string, string> = {}) =>
  execa(process.execPath, ['--input-type=module', '-e', PROGRAM], { cwd: packageRoot, env, stdin: 'ignore' })

interface Told {
  before: number[]
  lowered: number[]
  later: number[]
  disk: string | null
}

t.test('all threads of a process step behind the others, those that were there before, too', async t => {
  const { before, lowered, later, disk } = JSON.parse((await run()).stdout) as Told
  t.ok(before.length > 4, `${before.length} threads before anything of ours`)
  t.ok(later.length > lowered.length, 'threads came later')
  for (const niceness of [...lowered, ...later]) t.equal(niceness, LOWEST)
  t.same(new Set(disk?.trim().split('\n')), new Set(['idle']), 'of the disk they get what nobody else wants')
})

t.test('without ionice only the processor is left to others', async t => {
  const { lowered } = JSON.parse((await run({ PATH: t.testdir({}) })).stdout) as Told
  t.ok(lowered.length > 4)
  for (const niceness of lowered) t.equal(niceness, LOWEST)
})

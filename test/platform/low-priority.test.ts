import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

const LOWEST = constants.priority.PRIORITY_LOW
const hasSessions = existsSync('/proc/self/autogroup') || 'this kernel does not share by session'
const ownNiceness = () => Number(readFileSync('/proc/self/autogroup', 'utf8').split(' nice ')[1])
const atFirst = hasSessions === true ? ownNiceness() : undefined

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

/** How low the session of a process is in the end, or after a while in which nothing came of it. */
const SESSION_PROGRAM = `
  import { spawn } from 'node:child_process'
  import { readFileSync } from 'node:fs'
  import { setTimeout as delay } from 'node:timers/promises'
  import { lowerPriority, lowerStarted } from './dist/platform/low-priority.js'
  const [whose, looks] = process.argv.slice(1)
  if (whose !== 'of one it starts before') lowerPriority()
  const child = whose === 'own' ? undefined : spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  if (child) lowerStarted(child.pid)
  const niceness = () => Number(readFileSync('/proc/' + (child ?? process).pid + '/autogroup', 'utf8').split(' nice ')[1])
  for (let look = 0; look < Number(looks) && niceness() === 0; look++) await delay(50)
  console.log(niceness())
  child?.kill()
`

const sessionNiceness = async (whose: string, detached: boolean, looks: number) => {
  const args = ['--input-type=module', '-e', SESSION_PROGRAM, whose, String(looks)]
  return Number((await execa(process.execPath, args, { cwd: packageRoot, detached, stdin: 'ignore' })).stdout)
}

t.test(
  'where processors are shared by session, one of its own steps back, and those of what it starts',
  { skip: hasSessions !== true && hasSessions },
  async t => {
    // Those who are not root are refused where another one has just asked.
    const lowered = await Promise.all(
      ['own', 'own', 'of one it starts'].map(whose => sessionNiceness(whose, true, 200)),
    )
    t.same(lowered, [10, 10, 10])
    await sessionNiceness('own', false, 0)
    t.equal(ownNiceness(), atFirst, 'a session that others are in stays as it is')
    t.equal(await sessionNiceness('of one it starts before', false, 1), 0, 'who did not step back leaves them be')
  },
)

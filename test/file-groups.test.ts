import t from 'tap'
import { canShare, groupFiles } from './file-groups.js'

const FILE = 'test/reader/one.test.ts'
const PURE = "import t from 'tap'\nimport { sum } from '../../reader/sum.js'\n\nt.test('sums', t => {\n  t.end()\n})\n"

const shares = (text: string, others: Record<string, string> = {}) =>
  canShare(FILE, path => (path === FILE ? text : (others[path] ?? '')))

t.test('what is done when its tests are done can share a process', t => {
  t.ok(shares(PURE))
  t.ok(shares(`${PURE}for (const each of [1])\n  t.test('again', async t => {\n    t.teardown(() => each)\n  })\n`))
  t.ok(shares(`${PURE}const here = process.cwd()\n`))
  t.ok(shares(`${PURE}import { execa } from 'execa'\n`), 'programs end with the test that started them')
  t.ok(shares(`${PURE}const isFixed = process.env['FUZZ_SEED'] === '1'\n`), 'who reads changes nothing')
  t.ok(shares(`${PURE}/** What a command says, in this process. */\n`), 'who speaks of it changes nothing')
  t.ok(shares(`${PURE}import { until } from '../fixtures/recorder-process.js'\n`), 'a name is no use')
  const top = 't.jobs = 4\nconst folder = t.testdir()\nt.teardown(() => server.close())\n'
  t.ok(shares(`${PURE}${top}`), 'who runs the files ends that with each')
  t.end()
})

const ALONE: Record<string, string> = {
  'sets the environment': "process.env['TZ'] = 'UTC'",
  'sets it where it is not set': "process.env['TZ'] ??= 'UTC'",
  'starts threads': "import { Worker } from 'node:worker_threads'",
  'prepares what follows': 't.before(() => undefined)',
  'changes the folder': "process.chdir('/')",
  'says how the process ends': 'process.exitCode = 1',
  'listens to the process': "process.on('SIGTERM', () => undefined)",
  'sets the clock': 'Date.now = () => 0',
  'moves timers': "import { mock } from 'node:test'",
  'changes what all see': 'globalThis.setInterval = every',
  'skips itself': "if (nothing) t.plan(0, 'no root')",
  'asks for time': 't.setTimeout(240_000)',
  'says that it waits': '// Mostly waits.',
}

for (const [what, line] of Object.entries(ALONE))
  t.test(`what ${what} has a process of its own`, t => {
    t.notOk(shares(`${PURE}${line}\n`))
    t.end()
  })

t.test('so has what imports such a thing of the tests, however far away', t => {
  const text = PURE.replace('import { sum }', "import { near } from '../fixtures/near.js'\nimport { sum }")
  const near = "import { far } from './far/off.js'\n"
  t.ok(shares(text, { 'test/fixtures/near.ts': near, 'test/fixtures/far/off.ts': 'export const far = 1\n' }))
  const far = 'performance.now = () => 0\n'
  t.notOk(shares(text, { 'test/fixtures/near.ts': near, 'test/fixtures/far/off.ts': far }))
  const restored = `// Puts back what it changes of the process.\n${far}`
  t.ok(shares(text, { 'test/fixtures/near.ts': near, 'test/fixtures/far/off.ts': restored }), 'unless it says so')
  t.end()
})

t.test('each file is in a group or alone', t => {
  const pure = Array.from({ length: 40 }, () => 'test/formats/one-walk.test.ts')
  const { groups, alone } = groupFiles([...pure, 'test/file-groups.test.ts'])
  t.ok(groups.length > 1 && groups.every(group => group.length <= 24))
  t.equal(groups.flat().length, 40)
  t.same(alone, ['test/file-groups.test.ts'])
  t.end()
})

t.test('files that start programs share with few others, and with their like', t => {
  const [pure, program] = ['test/formats/one-walk.test.ts', 'test/run.test.ts']
  const { groups } = groupFiles([pure, program, pure, ...Array.from({ length: 7 }, () => program)])
  t.same(
    groups.map(group => [...new Set(group)]),
    [[program], [program], [pure]],
  )
  t.end()
})

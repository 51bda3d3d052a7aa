import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { prepareFolder } from '../../cli/demo/folder.js'
import { quoted } from '../../cli/demo/report.js'
import { packageRoot } from '../../platform/package-info.js'
import { cliMain, edgetape } from '../fixtures/cli.js'
import { needs, needsThat } from '../fixtures/needs.js'
import { hasPackages } from '../fixtures/python-targets.js'
import { blocksOf, readme } from '../fixtures/readme.js'
import { demoTree, tryEveryCommand, tryEveryExample } from './fixtures/every-command.js'

// As long as it takes at most: the longest tests begin first.
t.setTimeout(240_000)

/** Commands of processes whose arguments name this folder: the config of each part does. */
async function processesAbout(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args='])
  return stdout.split('\n').filter(args => args.includes(folder) && args.includes('main.js'))
}

t.test('a demo ends with a report, whose commands work, and nothing running', async t => {
  if (!needs(t, 'flock')) return
  const cwd = t.testdir()
  const { stdout, stderr, exitCode } = await edgetape(['demo', '--seconds', '8'], { cwd })
  t.equal(exitCode, 0, stderr)
  t.match(stdout, /^ {2}all +\d+ +[\d,]+ +\S+ .iB +\S+ .iB +\d+\.\d$/m, 'sums of the channels')
  t.match(stdout, /^ {2}Complete: [\d,]+ channels, .* when the recorder was stopped\.$/m, 'the account')
  t.match(stdout, /^ {2}trades +future +[\d,]+ +100\.0 %$/m)
  t.match(stdout, /^ {2}trades +perpetual +[\d,]+ +([\d,]+) +\1 of \1 trades$/m, 'what the tables hold')
  t.match(stdout, /^ {2}\d\d:\d\d:\d[0-9] +\d+/m, 'candles')
  t.same(await processesAbout(cwd), [])

  const commands = stdout.slice(stdout.indexOf('Try next')).trim().split('\n').slice(2)
  t.equal(commands.length, 3)
  for (const command of commands) {
    const result = await execa('bash', ['-o', 'pipefail', '-c', command.trim()], {
      cwd,
      reject: false,
      stdin: 'ignore',
    })
    t.equal(result.exitCode, 0, `${command}\n${result.stderr}`)
    t.ok(result.stdout.trim(), command)
  }

  const [, clock = ''] = /^ {2}Complete: .* s to (\d\d:\d\d:\d\d), when/m.exec(stdout) ?? []
  await showsWhatItDoes(t, join(cwd, 'edgetape-demo'), clock)

  const tree = await demoTree(cwd, stdout)
  for (const sql of blocksOf('sql')) {
    const answer = await edgetape(['query', '--path', 'edgetape-demo/nas', '--json', sql], { cwd })
    t.equal(answer.exitCode, 0, `${sql}\n${answer.stderr}`)
    t.match(answer.stdout, /^\{"/, `the README's query has rows: ${sql}`)
  }

  await t.test('what takes long says how long, and nothing is wider than a terminal', t => tryEveryCommand(t, tree))
  await t.test('examples of views ask for what is at hand, and have rows', t => tryEveryExample(t, tree))

  if (
    !needsThat(
      t,
      await hasPackages('python3', 'pandas', 'pyarrow'),
      'needs pandas and pyarrow: pip install pandas pyarrow',
    )
  )
    return
  for (const script of blocksOf('python')) {
    const answer = await execa('python3', ['-c', script], { cwd, reject: false, stdin: 'ignore' })
    t.equal(answer.exitCode, 0, answer.stderr)
    t.match(answer.stdout, /open +high +low +close\n/)
  }
  await drawExamples(t, cwd)
})

/** What the commands of the README's table of what others do not do say of a demo, by their first words. */
const SHOWN: Readonly<Record<string, RegExp>> = {
  coverage: /^Complete: [\d,]+ channels/,
  verify: /^no fault, 0 unproven/m,
  retention: /^would delete 0 files, .*\n[^]* h old/,
  query: /^max\(recv_ts\)\n\d{4}-/,
  book: /^side +level[^]*\nbid +1 /,
  replay: /^ws:\/\/127\.0\.0\.1:\d+\//,
  merge: /^segments +\d+ converted, 0 failed/m,
  doctor: /^ok +disk /m,
}
const LISTENS_WITHIN_MS = 60_000

/** @param clock when the recording ended, UTC */
async function showsWhatItDoes(t: Test, cwd: string, clock: string): Promise<void> {
  const endMs = Date.parse(`${new Date().toISOString().slice(0, 10)}T${clock}Z`)
  // The day may have changed since.
  const at = new Date((endMs > Date.now() ? endMs - 86_400_000 : endMs) - 1000).toISOString()
  const commands = [...readme.matchAll(/^\| .* \| `edgetape (\w+) ?(.*?)` +\|$/gm)]
  t.same(new Set(commands.map(([, name]) => name)), new Set(Object.keys(SHOWN)))
  for (const [, name = '', rest = ''] of commands) {
    const options = rest.replace('2026-11-22T14:00:00Z', at).replace('2026-11-22', at.slice(0, 10))
    const line = `exec "$0" "$1" ${name} ${options}${name === 'replay' ? ' --port 0' : ''}`
    const child = execa('bash', ['-c', line, process.execPath, cliMain], { cwd, reject: false, stdin: 'ignore' })
    if (name === 'replay') {
      const [url] = (await once(child.stdout, 'data', { signal: AbortSignal.timeout(LISTENS_WITHIN_MS) })) as [Buffer]
      t.match(String(url), SHOWN[name], line)
      child.kill('SIGTERM')
      await child
      continue
    }
    const { stdout, stderr, exitCode } = await child
    t.match(stdout, SHOWN[name], `${line}\n${stderr}`)
    // The simulated exchange of the demo has ended.
    t.equal(exitCode, name === 'doctor' ? 1 : 0, line)
  }
}

const RUN_NOTEBOOK = `
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=120, kernel_name='python3').execute()
print(sum(len(cell.outputs) for cell in notebook.cells if cell.cell_type == 'code'))
`

/** The plots and the notebook, with what the demo in `cwd` left. */
async function drawExamples(t: Test, cwd: string): Promise<void> {
  const python = (...args: string[]) =>
    execa('python3', args, {
      cwd,
      reject: false,
      stdin: 'ignore',
      env: { EDGETAPE_ROOT: join(cwd, 'edgetape-demo/nas'), PYTHONPATH: join(packageRoot, 'python') },
    })
  const hasLibraries = await hasPackages('python3', 'matplotlib', 'nbclient', 'ipykernel')
  const message = 'needs matplotlib, nbclient and ipykernel: pip install matplotlib nbclient ipykernel'
  if (!needsThat(t, hasLibraries, message)) return
  const examples = join(packageRoot, 'examples')
  const plots = await python(join(examples, 'plots.py'), 'edgetape-demo/nas', 'plots')
  t.equal(plots.exitCode, 0, plots.stderr)
  for (const name of ['price', 'spread', 'smile', 'coverage']) {
    const png = readFileSync(join(cwd, 'plots', `${name}.png`))
    t.equal(png.toString('latin1', 1, 4), 'PNG')
    t.ok(png.length > 10_000, `${name}.png has ${png.length} bytes`)
  }
  const notebook = await python('-c', RUN_NOTEBOOK, join(examples, 'first-look.ipynb'))
  t.equal(notebook.exitCode, 0, notebook.stderr)
  t.equal(notebook.stdout, '8', 'each cell shows what it is for')
}

t.test('an interrupted demo leaves nothing running', async t => {
  if (!needs(t, 'flock')) return
  const cwd = t.testdir()
  const child = execa(process.execPath, [cliMain, 'demo', '--seconds', '60', '--out', join(cwd, 'demo')], {
    cwd,
    reject: false,
    stdin: 'ignore',
  })
  const status = join(cwd, 'demo', 'data', 'state', 'recorder.json')
  for (let i = 0; i < 400 && !existsSync(status); i++) await sleep(50)
  t.not((await processesAbout(cwd)).length, 0)
  child.kill('SIGINT')
  const { exitCode, stderr } = await child
  t.equal(exitCode, 130)
  t.match(stderr, /nothing is left running/)
  t.same(await processesAbout(cwd), [])
})

t.test('a demo empties only what a demo made', t => {
  const root = join(t.testdir(), 'demo')
  const folder = prepareFolder(root)
  mkdirSync(join(folder.dataDir, 'raw'), { recursive: true })
  writeFileSync(join(root, 'notes.txt'), 'mine')
  prepareFolder(root)
  t.notOk(existsSync(folder.dataDir), 'made by the one before')
  t.equal(readFileSync(join(root, 'notes.txt'), 'utf8'), 'mine')
  const foreign = join(t.testdirName, 'foreign')
  mkdirSync(join(foreign, 'data'), { recursive: true })
  t.throws(() => prepareFolder(foreign), { code: 'DEMO_FOLDER_TAKEN' })
  t.ok(existsSync(join(foreign, 'data')))
  t.end()
})

t.test('paths as a shell takes them', t => {
  t.equal(quoted('a/b=c.json'), 'a/b=c.json')
  t.equal(quoted("it's here"), "'it'\\''s here'")
  t.end()
})

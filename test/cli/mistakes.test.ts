// Puts back what it changes of the process.
/** Command lines that only whoever typed them can mend: they end with 2, say what was wanted, and leave stdout and files alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import t from 'tap'
import { exitCodes } from '../../cli/exit-codes.js'
import { writeLines, writeLinesTo, writeWhole } from '../../cli/output.js'
import { printError } from '../../cli/print-error.js'
import { EdgeError } from '../../platform/edge-error.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording } from '../fixtures/made-recording.js'

const START_US = Date.UTC(2026, 10, 22, 14) * 1000

t.test('a wrong time, date, name or choice ended with 1, as if trying again could help', async t => {
  const root = t.testdir({
    'two.yaml': 'exchanges: [{ name: deribit }, { name: okx }]\ndataDir: data\n',
    'one.yaml': 'exchange: { name: deribit }\ndataDir: data\n',
    'notes.txt': '',
    empty: {},
  })
  const dataDir = join(root, 'data')
  writeRecording(dataDir, [{ family: 'journal', conn: 'journal', recvUs: START_US, frame: '{"event":"started"}' }])
  const before = readdirSync(dataDir, { recursive: true }).sort()
  const [one, two] = [join(root, 'one.yaml'), join(root, 'two.yaml')]
  const at = ['--path', dataDir]
  const cases: [args: string[], says: RegExp][] = [
    [['coverage', ...at, '--date', '2026-02-30'], /found --date 2026-02-30, wanted a day/],
    [['coverage', ...at, '--date', '2026-2-3'], /found --date 2026-2-3, wanted a day/],
    [['coverage', ...at, '--from', 'noon'], /found "noon", wanted a time/],
    [['coverage', ...at, '--from', '2026-11-22T15:00', '--to', '2026-11-22T14:00'], /wanted an end behind the begin/],
    [['coverage', ...at, '--from', '2026-11-22', '--to', '2026-11-22'], /wanted an end behind the begin/],
    [['coverage', ...at, '--to', '1969-11-22'], /found --to 1969-11-22, wanted an end behind 1970/],
    [['coverage', ...at, '--date', '2026-11-22', '--to', '2026-11-23'], /wanted one way to say when/],
    [['coverage', ...at, '--write'], /found --write, wanted --date with it/],
    [['dump', '--from', '2026-04-31', dataDir], /found "2026-04-31", wanted a time/],
    [['dump', '--to', '2026-11-22T24:01', dataDir], /wanted a time/],
    [['export', 'csv', ...at, '--from', '2026-11', '--out', join(root, 'out')], /found "2026-11", wanted a time/],
    [['replay', dataDir, '--from', 'yesterday'], /found "yesterday", wanted a time/],
    [['replay', dataDir, '--speed', '-1'], /argument '-1' is invalid/],
    [['replay', dataDir, '--port', '70000'], /wanted 0 to 65535/],
    [['tail', ...at, '--from', '10 minutes'], /found "10 minutes", wanted a time/],
    [['tail', ...at, '--format', 'xml'], /argument 'xml' is invalid/],
    [['merge', dataDir, '--out', join(root, 'out'), '--from', 'x'], /found "x", wanted a time/],
    [['merge', dataDir, '--out', dataDir], /lie in each other/],
    [['merge', dataDir, '--out', join(dataDir, 'below')], /lie in each other/],
    [['book', 'X', ...at, '--at', 'now'], /found "now", wanted a time/],
    [['book', 'X', ...at, '--every', '0', '--from', '2026-11-22', '--to', '2026-11-23'], /argument '0' is invalid/],
    [
      ['book', 'X', ...at, '--at', '2026-11-22', '--json', '--format', 'csv'],
      /found --json and --format csv, wanted one/,
    ],
    [['book', 'X', ...at, '--at', '2026-11-22', '--format', 'parquet'], /hint: add --out FILE\.parquet/],
    [['book', 'X', ...at, '--at', '2026-11-22', '--out', join(root, 'book')], /says no format/],
    [['query', ...at, 'SELECT 1', '--format', 'parquet'], /Parquet is not printed/],
    [['query', ...at, 'SELECT 1', '--date', '2026-02-31'], /found --date 2026-02-31/],
    [['query', 'SELECT 1', '--from', root], /wanted a time such as[^]*hint: a folder is given with --path \//],
    [['query', 'SELECT 1', '--from', '/not/mounted'], /hint: a folder is given with --path \/not\/mounted/],
    [['query', 'SELECT 1', '--from', 'noon'], /found "noon", wanted a time such as \S+$/],
    [['query', ...at, 'SELECT 1', '--date', '2026-11-22', '--to', '2026-11-23'], /wanted one way to say when/],
    [['query', ...at, 'SELECT 1', '--out', join(root, 'x.xls')], /found format xls, wanted one of table, csv/],
    [['catalog', ...at, '--dialect', 'oracle'], /oracle/],
    [['catalog', ...at, '--dialect', 'delta'], /found no --out, wanted a folder/],
    [['verify', 'everything', dataDir], /everything/],
    [['verify', 'parquet', dataDir, '--date', '2026-02-31'], /found --date 2026-02-31/],
    [['verify', 'raw', dataDir, '--anew'], /--for and --anew go with/],
    [['verify', 'bits', dataDir, '--for', 'ever'], /argument 'ever' is invalid/],
    [['report', ...at, '--date', '2026-11-31'], /found --date 2026-11-31/],
    [['alerts', 'try', '--config', one], /found "try", wanted: test/],
    [['alerts', 'test', '--config', one], /names no receiver of alerts[^]*hint: set alerts\./],
    [['sync', '--once', '--config', one], /sync\.target|target/],
    [['record', '--config', two], /several exchanges: deribit, okx[^]*hint: name one with --exchange/],
    [['record', '--config', two, '--exchange', 'nyse'], /found exchange nyse, wanted one of the config: deribit, okx/],
    [['compact', '--order', 'random', '--config', one], /argument 'random' is invalid/],
    [['simulate', '--port', '-1'], /argument '-1' is invalid/],
    [['simulate', '--rate', 'fast'], /argument 'fast' is invalid/],
    [['simulate', '--exchange', 'nyse'], /nyse/],
    [['import', 'raw', join(root, 'none.jsonl'), '--out', join(root, 'out'), '--exchange', 'nyse'], /edgetape: /],
    [['help', 'me'], /there is no help about me[^]*hint: edgetape help lists/],
    [['recrod'], /Did you mean record\?/],
    [['completion', 'tcsh'], /tcsh/],
  ]
  for (const [args, says] of cases) {
    const { stdout, stderr, exitCode } = await commandHere(args)
    const typed = args.join(' ').replaceAll(root, '')
    t.equal(exitCode, exitCodes.usage, `${typed}: ${stderr.slice(0, 300)}`)
    t.match(stderr, says, typed)
    t.equal(stdout, '', typed)
  }
  t.same(readdirSync(dataDir, { recursive: true }).sort(), before, 'nothing was written')
  for (const name of ['out', 'x.xls', 'book']) t.notOk(existsSync(join(root, name)), name)
})

t.test('what is told of an error is its message and hint; a mistake of ours keeps its stack trace', t => {
  const code = process.exitCode
  t.teardown(() => (process.exitCode = code))
  const said: string[] = []
  t.capture(process.stderr, 'write', (text: string) => said.push(text) > 0)
  t.equal(printError(new EdgeError('X', 'it is so', { hint: 'do this' })), true)
  t.equal(process.exitCode, 1)
  t.equal(printError(new EdgeError('TIME_INVALID', 'no time')), true)
  t.equal(process.exitCode, 2)
  t.equal(printError(Object.assign(new Error('ENOSPC: no space left on device, open'), { code: 'ENOSPC', syscall: 'open', path: '/x/y' })), true) // prettier-ignore
  t.same(said, [
    'edgetape: it is so\n',
    'edgetape: hint: do this\n',
    'edgetape: no time\n',
    'edgetape: cannot open /x/y: ENOSPC: no space left on device, open\n',
    'edgetape: hint: the disk is full: make room there\n',
  ])
  for (const mistake of [new TypeError('x is not a function'), 'text', undefined, null, { code: 'ENOSPC' }])
    t.equal(printError(mistake), false)
  t.end()
})

const lines = function* (count: number) {
  for (let at = 0; at < count; at++) yield Buffer.from(`line ${at}`)
}

t.test('lines are written at the speed of their reader, and one that has seen enough ends them', async t => {
  let made = 0
  function* counted() {
    for (const line of lines(100_000)) {
      made++
      yield line
    }
  }
  const slow = new PassThrough({ highWaterMark: 1024 })
  const writing = writeLines(counted(), slow)
  await new Promise(resolve => setImmediate(resolve))
  t.ok(made < 20_000, `${made} lines were made before any was read`)
  let text = ''
  slow.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')))
  t.equal(await writing, true)
  t.equal(text, [...lines(100_000)].map(line => `${line.toString()}\n`).join(''))

  let taken = 0
  const failing = (error: string) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        taken += chunk.length
        done(taken > 200_000 ? Object.assign(new Error(error), { code: error }) : null)
      },
    })
  made = 0
  t.equal(await writeLines(counted(), failing('EPIPE')), false, 'that is no error')
  t.ok(made < 60_000, `${made} of 100,000 lines`)
  await t.rejects(writeLines(counted(), failing('ENOSPC')), { code: 'ENOSPC' }, 'a full disk is one')
})

t.test('a file has its name once it is whole, and none where it could not be made', async t => {
  const folder = t.testdir({ old: 'old' })
  const path = join(folder, 'old')
  await t.rejects(
    writeWhole(path, async temporary => {
      await writeLinesTo(temporary, lines(3))
      t.equal(readFileSync(path, 'utf8'), 'old', 'until then the old one is there')
      throw new Error('half way')
    }),
    /half way/,
  )
  t.same(readdirSync(folder), ['old'])
  await writeWhole(path, temporary => writeLinesTo(temporary, lines(2)))
  t.equal(readFileSync(path, 'utf8'), 'line 0\nline 1\n')
  await writeWhole('/dev/null', temporary => {
    t.equal(temporary, '/dev/null', 'a device has its name already')
    return Promise.resolve()
  })
  mkdirSync(join(folder, 'taken'))
  await t.rejects(
    writeWhole(join(folder, 'none/x'), temporary => writeLinesTo(temporary, lines(1))),
    { code: 'ENOENT' },
  )
  const asFolder = (temporary: string) => writeLinesTo(join(temporary, 'z'), lines(1))
  await t.rejects(writeWhole(join(folder, 'y'), asFolder), { code: 'ENOENT' })
  t.same(readdirSync(folder).sort(), ['old', 'taken'])
})

/** One language of commands: a flag means the same wherever it stands, an old spelling says the new one, 80 columns, no colours in pipes. */
import { join } from 'node:path'
import t from 'tap'
import { examplesText } from '../../cli/help/examples.js'
import { topics } from '../../cli/help/topics.js'
import { createProgram } from '../../cli/program.js'
import { RENAMED } from '../../cli/renamed-options.js'
import { edgetape } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { writeRecording } from '../fixtures/made-recording.js'

/** What each flag takes that more than one command has: its meaning is the same, or its name would be another. */
const LANGUAGE: Readonly<Record<string, string>> = {
  '--channel': '<name>',
  '--config': '<file>',
  '--conn': '<name>',
  '--date': '<date>',
  '--exchange': '<name>',
  '--format': '<name>',
  '--from': '<time>',
  '--host': '<name>',
  '--instrument': '<name>',
  '--json': '',
  '--listen': '<address>',
  '--no-fresh': '',
  '--once': '',
  '--out': '<file>',
  '--path': '<folder>',
  '--port': '<n>',
  '--speed': '<x>',
  '--to': '<time>',
}
/** Where a command takes several, or a folder of files. */
const PLURALS: Readonly<Record<string, string>> = { '<list>': '<name>', '<names>': '<name>', '<folder>': '<file>' }

t.test('flags that more than one command has take and mean the same', async t => {
  const { commands } = await createProgram()
  const owners = new Map<string, Map<string, string>>()
  for (const command of commands)
    for (const { long, flags, hidden } of command.options) {
      if (hidden || !long) continue
      const takes = flags.replace(/^.*?(?=<|$)/, '')
      owners.set(long, (owners.get(long) ?? new Map<string, string>()).set(command.name(), takes))
    }
  const shared = [...owners].filter(([, takers]) => takers.size > 1)
  t.same(shared.map(([flag]) => flag).sort(), Object.keys(LANGUAGE).sort(), 'each is in the table')
  for (const [flag, takers] of shared)
    for (const [command, takes] of takers) {
      const meant = LANGUAGE[flag]
      t.ok(takes === meant || PLURALS[takes] === meant, `${command} ${flag} ${takes}: ${String(meant)}`)
    }
})

t.test('old spellings end with 2 and say the new one', async t => {
  for (const [command, spellings] of Object.entries(RENAMED))
    for (const [before, now] of Object.entries(spellings)) {
      const { stderr, exitCode } = await commandHere([command, before, 'x'])
      t.equal(exitCode, 2, `${command} ${before}`)
      t.match(stderr, `edgetape: '${before}' is called '${now}' now`)
      t.notMatch(await createProgram(command).then(program => program.commands[0]?.helpInformation()), `${before} `)
    }
  const folder = await commandHere(['coverage', '/mnt/nas'])
  t.match(folder, { exitCode: 2, stderr: /hint: give the folder with --path \/mnt\/nas/ })
  t.match(await commandHere(['merge', 'a', '--out', 'b', '--to', '/mnt/nas']), {
    stderr: /hint: the merged tree is --out/,
  })
})

/** Lines that are longer than a terminal, but for words that are longer themselves. */
const tooLong = (text: string) => text.split('\n').filter(line => line.length > 80 && !/^\s*\S+$/.test(line))

t.test('help has 80 columns', async t => {
  const program = await createProgram()
  for (const command of program.commands) {
    t.same(tooLong(command.helpInformation() + examplesText(command.name())), [], command.name())
    let after = ''
    command.configureOutput({ writeOut: text => (after += text) })
    command.outputHelp()
    t.same(tooLong(after), [], `all of ${command.name()}`)
  }
  for (const [name, { text }] of Object.entries(topics)) t.same(tooLong(await text([])), [], `help ${name}`)
})

t.test('what people read has 80 columns and no codes of colours in a pipe', async t => {
  const root = t.testdir()
  const startUs = Date.parse('2026-11-22T14:00:00Z') * 1000
  const channel = 'quote.BTC-PERPETUAL'
  const told = [
    { event: 'started' },
    { event: 'subscribed', conn: 'd1', channels: [channel] },
    { event: 'live', conn: 'd1', channels: 1 },
  ]
  const lines = told.map((event, n) => ({
    family: 'journal',
    conn: 'journal',
    recvUs: startUs + n,
    frame: JSON.stringify(event),
  }))
  const gap = {
    event: 'gap',
    conn: 'd1',
    cause: 'connection reset by the exchange, which said nothing of why it did so',
    from_us: startUs + 1e6,
    to_us: startUs + 9e6,
    families: ['quote'],
  }
  writeRecording(root, [
    ...lines,
    { family: 'journal', conn: 'journal', recvUs: startUs + 1e7, frame: JSON.stringify(gap) },
  ])
  const config = join(root, 'edgetape.yaml')
  const { exitCode } = await edgetape(['init', '--yes', '--config', config, '--data-dir', root, '--host', 'vps-ldn-1'])
  t.equal(exitCode, 0)
  const commands: string[][] = [
    ['status', '--config', config],
    ['coverage', '--config', config],
    ['coverage', '--config', config, '--by', 'instrument'],
    ['coverage', '--config', config, '--by', 'hour'],
    ['query', '--path', root, 'SELECT 1.23456789012345 AS rounded'],
  ]
  for (const command of commands) {
    const { stdout, stderr } = await edgetape(command)
    const said = `${stdout}\n${stderr}`.replaceAll(root, '')
    t.same(tooLong(stdout.replaceAll(root, '')), [], command.join(' '))
    t.notMatch(said, /\x1b\[/, `${command.join(' ')}: no colours`)
  }
  const [table, ...exact] = await Promise.all(
    ['table', 'csv', 'json'].map(format =>
      edgetape(['query', '--path', root, '--format', format, 'SELECT 1.23456789012345::DOUBLE AS x']),
    ),
  )
  t.match(table?.stdout, /1\.23456789$/, 'rounded for people')
  for (const { stdout } of exact) t.match(stdout, '1.23456789012345', 'exact for programs')
})

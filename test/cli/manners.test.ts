import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { bashScript } from '../../cli/completion/bash.js'
import { fishScript } from '../../cli/completion/fish.js'
import { wordsOf } from '../../cli/completion/words.js'
import { zshScript } from '../../cli/completion/zsh.js'
import { exitCodeMeanings, exitCodes } from '../../cli/exit-codes.js'
import { examples, examplesText } from '../../cli/help/examples.js'
import { topics } from '../../cli/help/topics.js'
import { createProgram } from '../../cli/program.js'
import { configKeys } from '../../config/keys.js'
import { packageRoot } from '../../platform/package-info.js'
import { cliMain, edgetape } from '../fixtures/cli.js'
import { needs } from '../fixtures/needs.js'

const program = await createProgram()
const words = wordsOf(program)

t.test('every command explains itself on one screen, with examples that it understands', t => {
  t.same(Object.keys(examples).sort(), program.commands.map(command => command.name()).sort())
  for (const command of program.commands) {
    const name = command.name()
    t.ok(command.helpInformation().split('\n').length <= 40, `${name}: one screen`)
    t.match(examplesText(name), /\n {2}\$ edgetape /, name)
    for (const [example] of examples[name] ?? []) {
      const typed = example.replace(/ > .*$/, '').match(/"[^"]*"|\S+/g) ?? []
      t.same(typed.slice(0, 2), ['edgetape', name], example)
      const { unknown, operands } = command.parseOptions(typed.slice(2))
      t.same(unknown, [], `${example}: options`)
      const wanted = command.registeredArguments
      t.ok(operands.length <= wanted.length || wanted.at(-1)?.variadic, `${example}: arguments`)
      t.ok(operands.length >= wanted.filter(({ required }) => required).length, `${example}: arguments`)
    }
  }
  t.end()
})

t.test('help beyond commands', async t => {
  const help = (await topics['config']?.text([])) ?? ''
  for (const { key } of configKeys()) t.match(help, new RegExp(`^ {2}${key.replaceAll('.', '\\.')} `, 'm'), key)
  t.equal((await topics['config']?.text(['retention.']))?.match(/^ {2}\S/gm)?.length, 3)
  const { stdout, exitCode } = await edgetape(['help', 'sync'])
  t.match(stdout, /--once[^]*edgetape help config[^]*\$ edgetape sync --once/)
  t.equal(exitCode, 0)
})

t.test('mistakes end with 2, say what was meant, and leave stdout alone', async t => {
  const config = join(t.testdir({ 'bad.yaml': 'exchange: { name: deribit, nmae: x }\n' }), 'bad.yaml')
  const cases: [string[], RegExp][] = [
    [['statsu'], /unknown command 'statsu'\n\(Did you mean status\?\)/],
    [['status', '--config', config], /bad\.yaml:1: exchange\.nmae: unknown key; did you mean name\?/],
    [['status', '--config', `${config}.none`], /no config file[^]*hint: edgetape init/],
  ]
  await Promise.all(
    cases.map(async ([args, says]) => {
      const { stdout, stderr, exitCode } = await edgetape(args)
      t.equal(exitCode, exitCodes.usage, args.join(' '))
      t.match(stderr, says)
      t.match(stderr, /^edgetape: /)
      t.equal(stdout, '')
    }),
  )
})

t.test('what commander finds is thrown, so that the command ends in one place', async t => {
  const run = async (...args: string[]) => {
    const fresh = await createProgram()
    for (const command of fresh.commands) command.configureOutput({ writeErr: () => undefined })
    return fresh.parseAsync(['node', 'edgetape', ...args])
  }
  await t.rejects(run('dump'), { code: 'commander.missingArgument' })
  await t.rejects(run('status', '--jsno'), { code: 'commander.unknownOption' })
  await t.rejects(run('compact', '--order', 'x'), { code: 'commander.invalidArgument' })
  await t.rejects(run('help', 'nothing'), { code: 'HELP_UNKNOWN', hint: /config, exit-codes/ })
})

t.test('the exit codes are those of the page', t => {
  const page = readFileSync(join(packageRoot, 'docs', 'exit-codes.md'), 'utf8')
  const rows = [...page.matchAll(/^\| (\d+) +\| (\w+) +\| (.*?) +\|$/gm)].map(([, code, name, meaning]) => [
    code,
    name,
    meaning,
  ])
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[]
  t.same(
    rows,
    names.map(name => [String(exitCodes[name]), name, exitCodeMeanings[name]]),
  )
  t.end()
})

t.test('bash completes', t => {
  const folder = t.testdir({ 'edgetape.bash': bashScript(words), files: { 'mine.yaml': '' } })
  const completed = (typed: string[]) =>
    execFileSync(
      'bash',
      [
        '-c',
        `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _edgetape; printf '%s\\n' "\${COMPREPLY[@]}"`,
        join(folder, 'edgetape.bash'),
        ...typed,
      ],
      { encoding: 'utf8', cwd: join(folder, 'files') },
    )
      .trim()
      .split('\n')
  t.same(completed(['edgetape', 'st']), ['status'])
  t.same(completed(['edgetape', 'status', '--j']), ['--json'])
  t.same(completed(['edgetape', 'compact', '--order', '']), ['oldest', 'newest'])
  t.same(completed(['edgetape', 'status', '--config', 'm']), ['mine.yaml'])
  t.same(completed(['edgetape', 'dump', 'm']), ['mine.yaml'])
  t.same(completed(['edgetape', 'completion', 'f']), ['fish'])
  t.end()
})

t.test('zsh takes its script', async t => {
  if (!needs(t, 'zsh')) return
  const folder = t.testdir({ _edgetape: zshScript(words) })
  execFileSync('zsh', ['-n', join(folder, '_edgetape')])
  const loaded = execFileSync('zsh', [
    '-fc',
    `fpath=(${folder} $fpath); autoload -U compinit; compinit -D; echo $_comps[edgetape]`,
  ])
  t.equal(loaded.toString().trim(), '_edgetape')
})

t.test('fish completes', async t => {
  if (!needs(t, 'fish')) return
  const folder = t.testdir({ 'edgetape.fish': fishScript(words) })
  const completed = (typed: string) =>
    execFileSync('fish', ['--no-config', '-c', `source ${join(folder, 'edgetape.fish')}; complete -C '${typed}'`], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .map(line => line.split('\t')[0])
  t.same(completed('edgetape stat'), ['status'])
  t.same(completed('edgetape compact --order '), ['newest', 'oldest'])
  t.same(completed('edgetape status --js'), ['--json'])
})

t.test('signs and colours on a terminal, words without colours with NO_COLOR', async t => {
  if (!needs(t, 'script')) return
  const log = join(packageRoot, 'dist', 'platform', 'log.js')
  const onTerminal = async (args: string, env: Record<string, string>) => {
    const { stdout } = await execa('script', ['-qec', `${process.execPath} ${args}`, '/dev/null'], {
      env: { TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
      cwd: t.testdirName,
      reject: false,
      stdin: 'ignore',
    })
    return stdout
  }
  t.testdir({})
  const doctor = `${cliMain} doctor --config nowhere.yaml`
  const logged = `-e "import('${log}').then(({createLogger}) => createLogger('part').warn('careful'))"`
  const noColour = { NO_COLOR: '1' }
  t.match(await onTerminal(doctor, {}), /❌ {2}config/)
  t.match(await onTerminal(doctor, noColour), /FAILED {3}config/)
  t.match(await onTerminal(logged, {}), /\x1b\[\d+m/)
  const plain = await onTerminal(logged, noColour)
  t.match(plain, /WARN.*careful/)
  t.notMatch(plain, /\x1b\[/)
})

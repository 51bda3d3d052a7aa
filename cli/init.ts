import { dirname, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Exchange } from '../exchanges/exchange.js'
import type { Answers as ExchangeAnswers, ExchangeConfig, Question } from '../exchanges/settings.js'
import type { Answers } from '../config/answers.js'
import { nonNegativeNumber, portNumber } from './number-options.js'

interface InitFlags extends Omit<Answers, 'exchanges' | 'of'> {
  exchange?: string[]
  config: string
  yes: boolean
  force: boolean
}

/**
 * `edgetape init`: a commented config from a few questions, or from flags.
 * @param isWhole with the exchanges' own flags, for which all of them are loaded
 */
export async function initCommand(isWhole: boolean): Promise<Command> {
  const command = new Command('init')
    .description('write a commented config from a few questions, or from flags')
    .option('--config <file>', 'where to write it', './edgetape.yaml')
    .option('--yes', 'ask nothing: flags, and defaults for the rest', false)
    .option('--force', 'replace a config that is there', false)
    .option('--data-dir <folder>', 'folder for everything that edgetape writes')
    .option('--host <name>', 'part of every file name')
  if (isWhole) await addExchangeFlags(command)
  return command
    .option('--target <address>', 'a folder, user@host:/path or rsync://host/module/path')
    .option('--ssh-key <file>', 'private key for user@host:/path')
    .option('--ssh-port <n>', 'port of its sshd', portNumber)
    .option('--known-hosts <file>', "file with the target's host key")
    .option('--password-file <file>', 'for rsync://user@host/module')
    .option('--keep-hours <n>', 'how long verified files stay here', nonNegativeNumber)
    .action((flags: InitFlags & ExchangeAnswers) => init(flags))
}

async function addExchangeFlags(command: Command): Promise<void> {
  const [{ exchanges }, { flagQuestions }] = await Promise.all([
    import('../exchanges/registry.js'),
    import('../config/answers.js'),
  ])
  const known = exchanges.map(({ name }) => name)
  const exchange = new Option('--exchange <list>', `of ${known.join(',')}; several are recorded side by side`)
  command.addOption(exchange.argParser(text => listed(text, known)))
  for (const question of flagQuestions()) command.addOption(flagOf(question))
}

/** A question of the exchange as a flag. */
function flagOf({ name, takes, meaning, options, isList = false }: Question): Option {
  const flag = new Option(`--${name} ${takes}`, meaning)
  const known = options?.map(({ value }) => value)
  if (isList) return flag.argParser(text => listed(text, known))
  return known ? flag.choices(known) : flag
}

function listed(text: string, known: readonly string[] | undefined): string[] {
  const items = text.split(',').map(item => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('wanted words with commas between them')
  const strange = items.find(item => known?.includes(item) === false)
  if (strange !== undefined) throw new InvalidArgumentError(`${strange} is none of ${known?.join(', ') ?? ''}`)
  return items
}

async function init({ config: path, yes, force, exchange, ...said }: InitFlags & ExchangeAnswers): Promise<void> {
  const [
    { existsSync },
    { EdgeError },
    { exists, writeConfigFile },
    { configText },
    { answersBy, pathsFor },
    { parseConfig },
    { defaultHost },
    { exchangeOf },
  ] = await Promise.all([
    import('node:fs'),
    import('../platform/edge-error.js'),
    import('../config/write-config.js'),
    import('../config/config-text.js'),
    import('../config/answers.js'),
    import('../config/load.js'),
    import('../config/sections/host.js'),
    import('../exchanges/registry.js'),
  ])
  // Before anyone is asked anything.
  if (!force && existsSync(path)) throw exists(path)
  if (!yes && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new EdgeError('INIT_NO_TERMINAL', 'there is no terminal to ask questions on', {
      hint: 'edgetape init --yes takes flags and defaults; edgetape init --help lists them',
    })
  }
  // A host name that changes later would not change the name of this recorder.
  const own = { of: answersBy(said), ...(exchange && { exchanges: exchange }) }
  const flags = pathsFor(dirname(resolve(path)), { ...said, ...own }, process.cwd())
  const answers = yes ? { host: defaultHost(), ...flags } : await asked(flags)
  const text = configText(answers)
  const config = parseConfig(text, path)
  writeConfigFile(path, text, force)
  const logins = config.exchanges.flatMap(each => keyNeededBy(exchangeOf(each), each))
  process.stdout.write(`${path}\n`)
  process.stderr.write(`\n${nextSteps(path, logins)}\n`)
}

async function asked(flags: Answers): Promise<Answers> {
  const [{ ask }, { defaultConfig }] = await Promise.all([import('./init/ask.js'), import('../config/schema.js')])
  const { dataDir, host, retention } = defaultConfig()
  return ask(flags, { dataDir, host, keepHours: retention.keepHours }, { input: process.stdin, output: process.stderr })
}

/** How to give the login that a config needs, where it needs one. */
function keyNeededBy({ settings: { login } }: Exchange, config: ExchangeConfig): string[] {
  const why = login?.neededBy(config)
  return login && why !== undefined ? [`  export ${login.id}=… ${login.secret}_FILE=…   ${why}`] : []
}

function nextSteps(path: string, exports: readonly string[]): string {
  const file = path === './edgetape.yaml' ? '' : ` --config ${path}`
  return [
    'Next:',
    ...exports,
    `  edgetape doctor${file}     is all there that it needs?`,
    `  edgetape run${file}        record, compact and sync`,
    `  edgetape status${file}     what it is doing`,
  ].join('\n')
}

import { dirname, resolve } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { instrumentKinds, type Answers, type InstrumentKind } from './init/answers.js'
import { nonNegativeNumber, portNumber } from './number-options.js'

interface InitFlags extends Answers {
  config: string
  yes: boolean
  force: boolean
}

/** `edgetape init`: a commented config from a few questions, or from flags. */
export function initCommand(): Command {
  return new Command('init')
    .description('write a commented config from a few questions, or from flags')
    .option('--config <file>', 'where to write it', './edgetape.yaml')
    .option('--yes', 'ask nothing: flags, and defaults for the rest', false)
    .option('--force', 'replace a config that is there', false)
    .option('--data-dir <folder>', 'folder of everything that is written')
    .option('--host <name>', 'part of every file name')
    .option('--url <url>', "the exchange's WebSocket, for its test system")
    .option('--currencies <list>', 'settlement currencies, such as BTC,ETH, or any', list)
    .option('--kinds <list>', `of ${instrumentKinds.join(',')}`, kindList)
    .addOption(new Option('--interval <interval>').choices(['100ms', 'agg2', 'raw']))
    .option('--redundancy <n>', '2: every channel on two connections', oneOrTwo)
    .option('--target <address>', 'a folder, user@host:/path or rsync://host/module/path')
    .option('--ssh-key <file>', 'private key for user@host:/path')
    .option('--ssh-port <n>', 'port of its sshd', portNumber)
    .option('--known-hosts <file>', "file with the target's host key")
    .option('--password-file <file>', 'for rsync://user@host/module')
    .option('--keep-hours <n>', 'how long verified files stay here', nonNegativeNumber)
    .action(init)
}

function list(text: string): string[] {
  const items = text.split(',').map(item => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('wanted words with commas between them')
  return items
}

function kindList(text: string): InstrumentKind[] {
  return list(text).map(word => {
    const kind = instrumentKinds.find(kind => kind === word)
    if (kind === undefined) throw new InvalidArgumentError(`${word} is none of ${instrumentKinds.join(', ')}`)
    return kind
  })
}

function oneOrTwo(text: string): 1 | 2 {
  if (text !== '1' && text !== '2') throw new InvalidArgumentError('wanted 1 or 2')
  return text === '1' ? 1 : 2
}

async function init({ config: path, yes, force, ...said }: InitFlags): Promise<void> {
  const [
    { existsSync },
    { EdgeError },
    { exists, writeConfigFile },
    { configText },
    { pathsFor, valuesOf },
    { parseConfig },
    { defaultHost },
  ] = await Promise.all([
    import('node:fs'),
    import('../platform/edge-error.js'),
    import('./init/write-config.js'),
    import('./init/config-text.js'),
    import('./init/answers.js'),
    import('../config/load.js'),
    import('../config/schema.js'),
  ])
  // Before anyone is asked anything.
  if (!force && existsSync(path)) throw exists(path)
  if (!yes && !(process.stdin.isTTY && process.stderr.isTTY)) {
    throw new EdgeError('INIT_NO_TERMINAL', 'there is no terminal to ask questions on', {
      hint: 'edgetape init --yes takes flags and defaults; edgetape init --help lists them',
    })
  }
  // A host name that changes later would not change the name of this recorder.
  const flags = pathsFor(dirname(resolve(path)), said, process.cwd())
  const answers = yes ? { host: defaultHost(), ...flags } : await asked(flags)
  const text = configText(valuesOf(answers))
  const config = parseConfig(text, path)
  writeConfigFile(path, text, force)
  process.stdout.write(`${path}\n`)
  process.stderr.write(
    `\n${nextSteps(path, config.exchange.adapter === 'deribit' && config.exchange.interval === 'raw')}\n`,
  )
}

async function asked(flags: Answers): Promise<Answers> {
  const [{ ask }, { configSchema }] = await Promise.all([import('./init/ask.js'), import('../config/schema.js')])
  const { dataDir, host, retention } = configSchema.parse({ exchange: { name: 'deribit' } })
  return ask(flags, { dataDir, host, keepHours: retention.keepHours }, { input: process.stdin, output: process.stderr })
}

function nextSteps(path: string, needsKey: boolean): string {
  const file = path === './edgetape.yaml' ? '' : ` --config ${path}`
  return [
    'Next:',
    ...(needsKey
      ? ['  export DERIBIT_CLIENT_ID=… DERIBIT_CLIENT_SECRET_FILE=…   raw is given only to those who log in']
      : []),
    `  edgetape doctor${file}     is all there that it needs?`,
    `  edgetape run${file}        record, compact and sync`,
    `  edgetape status${file}     what it is doing`,
  ].join('\n')
}

import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t, { type Test } from 'tap'
import { ask } from '../../cli/init/ask.js'
import { configText } from '../../config/config-text.js'
import { writeConfigFile } from '../../config/write-config.js'
import { configKeys } from '../../config/keys.js'
import { loadConfig, parseConfig } from '../../config/load.js'
import { edgetape } from '../fixtures/cli.js'
import { until } from '../fixtures/recorder-process.js'
import { matchAll } from '../fixtures/match-all.js'

t.test('a config that the product accepts, each key with its meaning', t => {
  const answers = {
    dataDir: '/srv/tape',
    host: 'vps-1',
    of: {
      deribit: {
        url: 'wss://test.deribit.com/ws/api/v2',
        currencies: ['any'],
        kinds: ['perpetual', 'option'],
        interval: 'raw',
        redundancy: '2',
      },
    },
    target: 'me@nas.example:/tape',
    sshKey: '/k',
    sshPort: 2222,
    knownHosts: '/h',
    keepHours: 12,
  }
  const text = configText(answers)
  matchAll(t, parseConfig(text, 'x'), {
    dataDir: '/srv/tape',
    host: 'vps-1',
    exchanges: [
      {
        url: answers.of.deribit.url,
        currencies: ['any'],
        interval: 'raw',
        redundancy: 2,
        channels: {
          spot: [],
          future: [],
          combo: [],
          perpetual: ['trades', 'quote', 'book', 'ticker', 'perpetual', 'chart.trades'],
        },
      },
    ],
    sync: { target: answers.target, sshKey: '/k', sshPort: 2222, knownHosts: '/h' },
    retention: { keepHours: 12 },
  })
  const lines = text.split('\n')
  for (const [name, key] of [
    ['dataDir', 'dataDir'],
    ['  currencies', 'exchange.currencies'],
    ['    spot', 'exchange.channels.spot'],
    ['  sshPort', 'sync.sshPort'],
    ['  keepHours', 'retention.keepHours'],
  ] as const) {
    const at = lines.findIndex(line => line.startsWith(`${name}:`))
    t.equal(lines[at - 1]?.trim(), `# ${configKeys().find(each => each.key === key)?.meaning ?? ''}`, key)
  }
  t.ok(Math.max(...lines.map(line => line.length)) <= 125, 'readable')
  t.end()
})

t.test('without an answer all is as by default', t => {
  t.same(parseConfig(configText({}), 'x'), parseConfig('exchange: { name: deribit }', 'x'))
  t.same(parseConfig(configText({ target: '' }), 'x').sync.target, undefined)
  t.end()
})

const ENTER = '\r'
const proposals = { dataDir: './data', host: 'here', keepHours: 48 }

/** Types each answer once its question is there. */
async function typing(t: Test, replies: readonly (readonly [question: RegExp, keys: string])[], said = {}) {
  const input = new PassThrough()
  const output = new PassThrough()
  let shown = ''
  output.on('data', (chunk: Buffer) => (shown += chunk.toString('utf8')))
  const answers = ask(said, proposals, { input, output })
  answers.catch(() => undefined)
  t.teardown(() => input.end())
  for (const [question, keys] of replies) {
    await until(String(question), () => question.test(shown), 10_000)
    shown = ''
    input.write(keys)
  }
  return { answers: await answers, shown }
}

t.test('Enter takes what is proposed', async t => {
  const questions = [
    /Folder/,
    /Name/,
    /Which exchanges/,
    /currencies/,
    /instruments/,
    /finely/,
    /connections/,
    /they stay here/,
  ]
  const { answers } = await typing(
    t,
    questions.map(question => [question, ENTER]),
  )
  matchAll(t, answers, {
    dataDir: './data',
    host: 'here',
    of: { deribit: { currencies: ['BTC', 'ETH'], interval: '100ms', redundancy: '1' } },
    target: '',
  })
  t.equal(answers.of?.['deribit']?.['kinds']?.length, 5)
})

const MOST = {
  exchanges: ['deribit'],
  of: { deribit: { currencies: ['BTC'], kinds: ['option'], interval: 'raw', redundancy: '2' } },
}

t.test('what flags said is not asked; a target over ssh brings its questions', async t => {
  const said = { dataDir: '/d', ...MOST }
  const replies = [
    [/^[^]*Name/, ENTER],
    [/do files go/, `me@nas:/x${ENTER}`],
    [/Private key/, `/key${ENTER}`],
    [/hours/, ENTER],
  ] as const
  const { answers } = await typing(t, replies, said)
  t.same(answers, { ...said, host: 'here', target: 'me@nas:/x', sshKey: '/key', keepHours: 48 })
})

t.test('a wrong answer is told, and asked again', async t => {
  const replies = [
    [/do files go/, `s3://bucket${ENTER}`],
    [/sync\.target: found/, `\x15/mnt/nas${ENTER}`],
  ] as const
  const { answers } = await typing(t, replies, { ...proposals, ...MOST })
  t.equal(answers.target, '/mnt/nas')
})

t.test('Ctrl-C writes nothing', async t => {
  const replies = [
    [/Folder/, ENTER],
    [/Name/, '\x03'],
  ] as const
  await t.rejects(typing(t, replies), { code: 'INIT_CANCELLED' })
})

t.test('a config that is there stays, unless it is to be replaced', t => {
  const folder = t.testdir({})
  const path = join(folder, 'deep', 'edgetape.yaml')
  writeConfigFile(path, 'one\n', false)
  t.throws(() => writeConfigFile(path, 'two\n', false), { code: 'CONFIG_EXISTS', hint: /--force/ })
  t.equal(readFileSync(path, 'utf8'), 'one\n')
  writeConfigFile(path, 'two\n', true)
  t.equal(readFileSync(path, 'utf8'), 'two\n')
  t.same(readdirSync(join(folder, 'deep')), ['edgetape.yaml'])
  t.end()
})

t.test('the command by flags', async t => {
  const path = join(t.testdir({}), 'mine.yaml')
  const flags = ['--config', path, '--yes', '--currencies', 'BTC,ETH', '--kinds', 'option', '--redundancy', '2']
  const { stdout, stderr, exitCode } = await edgetape(['init', ...flags])
  t.equal(exitCode, 0, stderr)
  t.equal(stdout, path)
  t.match(stderr, `edgetape doctor --config ${path}`)
  matchAll(t, loadConfig(path), { exchanges: [{ redundancy: 2, channels: { perpetual: [] } }] })
  t.match(
    readFileSync(path, 'utf8'),
    /^host: \S+$/m,
    'the name of the machine may change, the name of the recorder not',
  )
  const again = await edgetape(['init', ...flags])
  t.not(again.exitCode, 0)
  t.match(again.stderr, /already/)
  const nobody = await edgetape(['init', '--config', `${path}.other`])
  t.not(nobody.exitCode, 0)
  t.match(nobody.stderr, /no terminal[^]*--yes/)
  t.notOk(existsSync(`${path}.other`))
})

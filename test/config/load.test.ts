import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative } from 'node:path'
import t from 'tap'
import { configKeys } from '../../config/keys.js'
import { oneExchange } from '../../config/one-exchange.js'
import { loadConfig, parseConfig } from '../../config/load.js'
import { matchAll } from '../fixtures/match-all.js'

t.test('a missing file names its full path and what to do', t => {
  const path = join(t.testdir(), 'edgetape.yaml')
  t.throws(() => loadConfig(path), { code: 'CONFIG_NOT_FOUND', message: `no config file at ${path}`, hint: /--config/ })
  t.end()
})

t.test('a folder is no config', t => {
  const path = join(t.testdir(), 'edgetape.yaml')
  mkdirSync(path)
  t.throws(() => loadConfig(path), { code: 'CONFIG_UNREADABLE', message: /EISDIR/ })
  t.end()
})

t.test('values reach the config, the rest are defaults', t => {
  const folder = t.testdir({
    'edgetape.yaml': 'host: h1\nexchange:\n  name: deribit\n  channels: { combo: [] }\nsync: { target: /mnt/nas }\n',
  })
  const config = loadConfig(join(folder, 'edgetape.yaml'))
  t.match(config, { host: 'h1', dataDir: join(folder, 'data'), sync: { target: '/mnt/nas', everyMinutes: 5 } })
  const exchange = oneExchange(config)
  matchAll(t, exchange, {
    channels: { combo: [], option: ['trades', 'quote', 'book', 'ticker', 'chart.trades'] },
  })
  t.strictSame((exchange as unknown as { channels: { combo: unknown } }).channels.combo, [])
  t.end()
})

t.test('keys that had another name in 0.1.0 are still read, and cost a complaint only beside the new one', t => {
  const old =
    'segments: { giveWay: [book] }\ncompact: { doubles: keep, doublesWindowMs: 7 }\nexchange: { name: deribit }\n'
  const { segments, compact } = parseConfig(old, 'edgetape.yaml')
  t.same([segments.dropOrder, compact.duplicates, compact.duplicatesWindowMs], [['book'], 'keep', 7])
  const both = 'compact: { doubles: keep, duplicates: drop }\nexchange: { name: deribit }\n'
  t.throws(() => parseConfig(both, 'edgetape.yaml'), { message: /edgetape.yaml:1: compact.doubles: unknown key/ })
  t.throws(() => parseConfig('compact: { doubles: maybe }\nexchange: { name: deribit }\n', 'edgetape.yaml'), {
    message: /edgetape.yaml:1: compact.duplicates: found "maybe"/,
  })
  t.end()
})

t.test('the default host is fit for file names', t => {
  const folder = t.testdir({ 'edgetape.yaml': 'exchange: { name: deribit }\n' })
  t.match(loadConfig(join(folder, 'edgetape.yaml')).host, /^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/)
  t.end()
})

t.test('~ and relative paths were taken for folders of that name, or from wherever one stood', t => {
  const folder = t.testdir({})
  const values = {
    exchange: { name: 'deribit' },
    dataDir: '~/tape',
    sync: { target: '../nas [1]', sshKey: '~/.ssh/id', knownHosts: 'known', passwordFile: '/etc/pw' },
    alerts: { webhookFile: './hook', command: ['./tell.sh', './as it is'] },
  }
  const at = (path: string, more: object = {}) => parseConfig(JSON.stringify({ ...values, ...more }), path)
  const config = at(join(folder, 'edgetape.yaml'))
  matchAll(t, config, {
    dataDir: join(homedir(), 'tape'),
    sync: {
      target: join(folder, '..', 'nas [1]'),
      sshKey: join(homedir(), '.ssh/id'),
      knownHosts: join(folder, 'known'),
      passwordFile: '/etc/pw',
    },
    alerts: { webhookFile: join(folder, 'hook'), command: [join(folder, 'tell.sh'), './as it is'] },
  })
  t.same(at(relative(process.cwd(), join(folder, 'edgetape.yaml'))), config, 'however the config was named')
  t.equal(at('x', { dataDir: '~' }).dataDir, homedir())
  t.equal(at('x', { sync: { target: '~/nas' } }).sync.target, join(homedir(), 'nas'))
  t.equal(at('x', { sync: { target: 'me@nas:~/tape' } }).sync.target, 'me@nas:~/tape', 'a home folder over there')
  t.same(at('x', { alerts: { command: ['notify', '~/x'] } }).alerts.command, ['notify', '~/x'])
  for (const dataDir of ['', '~recorder/tape', ' /tape', '/tape\u0000'])
    t.throws(
      () => at('x', { dataDir }),
      { code: 'CONFIG_INVALID', message: /dataDir: found .*, wanted a path/ },
      dataDir,
    )
  t.end()
})

t.test('which keys are paths', t => {
  const told = configKeys().filter(({ key }) => /(?:dir|file|key|target|hosts)$/i.test(key))
  t.same(
    told.map(({ key }) => key),
    [
      ...['dataDir', 'sync.target', 'sync.sshKey', 'sync.passwordFile', 'sync.knownHosts'],
      ...['webhook', 'slack', 'discord', 'telegram', 'ntfy', 'pagerduty', 'ping'].map(name => `alerts.${name}File`),
    ].sort((a, b) => told.findIndex(({ key }) => key === a) - told.findIndex(({ key }) => key === b)),
    'a new key that is a path must be marked as one',
  )
  t.end()
})

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../config/load.js'

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
  t.match(config, { host: 'h1', dataDir: './data', sync: { target: '/mnt/nas', everyMinutes: 5 } })
  t.match(config.exchange, { channels: { combo: [], option: ['trades', 'quote', 'book', 'ticker'] } })
  t.strictSame('channels' in config.exchange && config.exchange.channels.combo, [])
  t.end()
})

t.test('the default host is fit for file names', t => {
  const folder = t.testdir({ 'edgetape.yaml': 'exchange: { name: deribit }\n' })
  t.match(loadConfig(join(folder, 'edgetape.yaml')).host, /^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/)
  t.end()
})

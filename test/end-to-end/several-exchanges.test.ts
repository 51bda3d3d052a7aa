/** Several exchanges of one config, each a recorder of its own, all in one dataDir. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { WebSocketServer } from '../../platform/web-socket.js'
import { loadConfig, parseConfig } from '../../config/load.js'
import { oneExchange } from '../../config/one-exchange.js'
import { startSimulator as startBybit } from '../../exchanges/bybit/simulator/main.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { startSimulator as startOkx } from '../../exchanges/okx/simulator/main.js'
import { gapsOf } from '../../formats/journal/gaps.js'
import { readStatus } from '../../formats/status.js'
import { packageRoot } from '../../platform/package-info.js'
import { whoseBook } from '../../reader/book/whose-book.js'
import { recordedExchange } from '../../reader/recorded-exchange.js'
import { startReplay } from '../../reader/replay/replay-server.js'
import { cliMain, edgetape } from '../fixtures/cli.js'
import { commandHere } from '../fixtures/command-here.js'
import { journalEntry } from '../fixtures/journal-entry.js'
import { matchAll } from '../fixtures/match-all.js'
import { rawFiles, until } from '../fixtures/recorder-process.js'
import { writeOpenSegment } from '../fixtures/segments.js'
import { StoreRun, storeOptions } from '../fixtures/store-run.js'

// Mostly waits.

t.test('a config of two exchanges: each has its recorder, and all parts see both', async t => {
  const dataDir = join(t.testdir({}), 'data')
  const simulator = await startSimulator({ rate: 200, instruments: 2 })
  t.teardown(() => simulator.close())
  const feed = await startFeed(t)
  const configFile = join(dataDir, '..', 'edgetape.yaml')
  const few = ['trades', 'quote', 'book']
  const channels = { perpetual: few, future: [], option: [], spot: [], combo: [], index: [], exchange: [] }
  const config = {
    ...{ host: 'vps', dataDir },
    exchanges: [
      { name: 'deribit', url: simulator.url, currencies: ['BTC'], channels },
      { name: 'feed', adapter: 'generic', url: feed, channelAt: ['/topic'] },
    ],
    http: { enabled: false },
  }
  writeFileSync(configFile, JSON.stringify(config))
  const run = execa(process.execPath, [cliMain, 'run', '--config', configFile], { reject: false })
  t.teardown(() => run.kill('SIGKILL'))
  const framesOf = (name: string) => Number(readStatus(dataDir, 'recorder', name)?.['frames'] ?? 0)
  await until('frames of both', () => framesOf('deribit') > 100 && framesOf('feed') > 20, 60_000)
  await until('the compactor, which lets them go first', () => readStatus(dataDir, 'compactor') !== undefined, 60_000)

  const status = JSON.parse((await commandHere(['status', '--json', '--config', configFile])).stdout) as {
    parts: unknown[]
    families: { exchange: string; family: string }[]
    openElsewhere: unknown[]
  }
  matchAll(t, status.parts, [
    { part: 'recorder', of: 'deribit', state: 'running' },
    { part: 'recorder', of: 'feed', state: 'running' },
    { part: 'compactor', state: 'running' },
    { part: 'syncer', state: 'never ran' },
  ])
  t.same(new Set(status.families.map(({ exchange }) => exchange)), new Set(['deribit', 'feed']))
  t.same(status.openElsewhere, [], 'nobody takes the other for a stranger')
  const screen = await commandHere(['status', '--config', configFile])
  t.match(screen.stdout, /^recorder of feed +running/m)
  t.match(screen.stdout, /deribit trades .*\n/)

  run.kill('SIGTERM')
  const { exitCode, stdout, stderr } = await run
  t.equal(exitCode, 0, `${stdout}${stderr}`.slice(-2000))
  t.same(
    rawFiles(dataDir).filter(path => path.endsWith('.open')),
    [],
  )
  const { exitCode: compacted } = await commandHere(['compact', '--once', '--config', configFile])
  t.equal(compacted, 0)
  const sql = `SELECT exchange, channel, count(*) > 20 AS many FROM frames WHERE exchange = 'feed' GROUP BY ALL`
  const answer = await commandHere(['query', sql, '--json', '--config', configFile])
  t.match(JSON.parse(answer.stdout), { exchange: 'feed', channel: 'a', many: true })
  const trades = await commandHere(['query', 'SELECT DISTINCT exchange FROM quote', '--json', '--config', configFile])
  t.match(JSON.parse(trades.stdout), { exchange: 'deribit' })

  t.equal(whoseBook(dataDir, 'BTC-PERPETUAL')?.name, 'deribit', 'the only one there with books')
  t.throws(() => whoseBook(dataDir, 'BTC-PERPETUAL', 'nobody'), { code: 'EXCHANGE_NOT_RECORDED' })
  const replay = (exchange?: string) =>
    startReplay({ path: dataDir, exchange, host: '127.0.0.1', port: 0, speed: 0, loop: false })
  await t.rejects(replay(), { code: 'EXCHANGE_NOT_NAMED', message: /deribit and feed/ })
  await t.rejects(replay('feed'), { code: 'EXCHANGE_NOT_SIMULATED' })
  const played = await replay('deribit')
  await played.close()
  t.same(
    recordedExchange(join(dataDir, 'raw', 'exchange=feed')).exchange,
    'feed',
    'a place below one exchange names it',
  )
})

t.test('three exchanges side by side: the averages and the basis of docs/query.md', async t => {
  const dataDir = join(t.testdir({}), 'data')
  const configFile = join(dataDir, '..', 'edgetape.yaml')
  const simulators = [
    await startSimulator({ rate: 100, instruments: 0 }),
    await startBybit({ rate: 100, instruments: 0 }),
    await startOkx({ rate: 100, instruments: 0 }),
  ] as const
  t.teardown(() => Promise.all(simulators.map(simulator => simulator.close())))
  const [deribit, bybit, okx] = simulators.map(({ url }) => url)
  const none = { future: [], option: [], spot: [] }
  const channels = { perpetual: ['trades'], ...none }
  const exchanges = [
    {
      name: 'deribit',
      url: deribit,
      currencies: ['BTC'],
      channels: { ...channels, combo: [], index: [], exchange: [] },
    },
    { name: 'bybit', url: bybit, instruments: ['BTC*'], channels },
    { name: 'okx', url: okx, instruments: ['BTC*'], channels: { ...channels, index: [] } },
  ]
  writeFileSync(configFile, JSON.stringify({ host: 'vps', dataDir, exchanges, http: { enabled: false } }))
  const run = execa(process.execPath, [cliMain, 'run', '--config', configFile], { reject: false })
  t.teardown(() => run.kill('SIGKILL'))
  const framesOf = (name: string) => Number(readStatus(dataDir, 'recorder', name)?.['frames'] ?? 0)
  await until('frames of all', () => exchanges.every(({ name }) => framesOf(name) > 100), 60_000)
  run.kill('SIGTERM')
  t.equal((await run).exitCode, 0)
  const page = readFileSync(join(packageRoot, 'docs/query.md'), 'utf8')
  const [, block = ''] = /```sql\n(SELECT exchange, avg\(price\)[^`]*)```/.exec(page) ?? []
  const [averages = '', basis = ''] = block.split(/;\n/)
  const ask = async (sql: string) => {
    const { stdout, stderr } = await commandHere(['query', sql, '--json', '--path', dataDir])
    t.match(stdout, /^\{/, stderr)
    return stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, unknown>)
  }
  const found = (rows: Record<string, unknown>[]) => [...new Set(rows.map(({ exchange }) => exchange))].sort()
  const means = await ask(averages)
  t.same(found(means), ['bybit', 'deribit', 'okx'])
  t.ok(means.every(row => Number(row['avg(price)']) > 1000))
  const distances = await ask(basis)
  t.same(found(distances), ['bybit', 'okx'], 'how far the others were from Deribit')
  t.ok(distances.every(row => Number.isFinite(row['basis']) && Number(row['trades']) > 0))
})

t.test('which exchange of a config is meant', t => {
  const both = parseConfig('exchanges: [{ name: deribit }, { name: feed, adapter: generic, url: "wss://x" }]', 'x')
  t.equal(oneExchange(both, 'feed').adapter, 'generic')
  t.throws(() => oneExchange(both), { code: 'EXCHANGE_NOT_NAMED', message: /deribit, feed/ })
  t.throws(() => oneExchange(both, 'other'), { code: 'EXCHANGE_NOT_CONFIGURED' })
  t.equal(oneExchange(parseConfig('exchange: { name: deribit }', 'x')).name, 'deribit')
  const listed = parseConfig('exchanges: [{ name: deribit }]', 'x')
  t.same(listed, parseConfig('exchange: { name: deribit }', 'x'), 'a list of one is as good as one')
  t.end()
})

t.test('the journals of two exchanges on one host were read as one: an end of one began a gap of the other', t => {
  const at = (exchange: string, second: number, event: string, detail: object = {}) =>
    journalEntry({ exchange, host: 'vps', run: exchange, recvUs: second * 1e6 }, event, detail)
  const conn = 'd1'
  const gaps = gapsOf([
    at('a', 1, 'started'),
    at('b', 1, 'started'),
    at('a', 2, 'live', { conn, channels: 1 }),
    at('b', 2, 'live', { conn, channels: 1 }),
    at('a', 3, 'disconnected', { conn, cause: 'closed' }),
    at('b', 4, 'live', { conn, channels: 1 }),
    at('a', 9, 'live', { conn, channels: 1 }),
    at('b', 10, 'stopped', { reason: 'asked' }),
    at('a', 11, 'clock'),
  ])
  matchAll(t, gaps, [
    { exchange: 'a', kind: 'outage', fromUs: 3e6, toUs: 9e6 },
    { exchange: 'b', kind: 'not recording', fromUs: 10e6, toUs: undefined },
  ])
  t.end()
})

t.test('a recorder that starts leaves the segments of the recorder beside it alone', async t => {
  const dataDir = t.testdir({})
  const beside = writeOpenSegment(dataDir, 5, 5)
  mkdirSync(join(dataDir, 'state/recorder-deribit-vps1.reserve'), { recursive: true })
  writeFileSync(join(dataDir, 'state/recorder-deribit-vps1.reserve/0'), 'x')
  const run = new StoreRun(storeOptions(dataDir, { exchange: 'feed', siblings: ['deribit'] }))
  t.same(run.of('openElsewhere'), [])
  await run.close()
  t.ok(existsSync(join(dataDir, beside)), 'it may be about to start, and seals them itself')
  t.ok(existsSync(join(dataDir, 'state/recorder-deribit-vps1.reserve/0')))
})

t.test('the config that is written for two exchanges can be read', async t => {
  const folder = t.testdir({})
  const path = join(folder, 'edgetape.yaml')
  const { exitCode, stderr } = await edgetape(['init', '--yes', '--exchange', 'deribit', '--config', path])
  t.equal(exitCode, 0, stderr)
  t.equal(loadConfig(path).exchanges[0]?.name, 'deribit')
})

/** Sends a frame each 20 ms to whoever connects. */
async function startFeed(t: Test): Promise<string> {
  const server: Server = createServer()
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', socket => {
    let n = 0
    const timer = setInterval(() => socket.send(JSON.stringify({ topic: 'a', n: n++ })), 20)
    socket.on('close', () => clearInterval(timer))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

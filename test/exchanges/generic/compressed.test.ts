/** Feeds that send compressed text in binary messages, as HTX, OKX of old and others do. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { parse } from 'yaml'
import { WebSocketServer } from '../../../platform/web-socket.js'
import { packageRoot } from '../../../platform/package-info.js'
import { inflatedText } from '../../../platform/inflate.js'
import { commandHere } from '../../fixtures/command-here.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'

t.jobs = 3

const trade = (price: number) =>
  `{"ch":"market.btcusdt.trade.detail","ts":1795000000123,"tick":{"id":1,"data":[{"price":${price}}]}}`
const ping = '{"ping":1795000000123}'
const example = join(packageRoot, 'config', 'edgetape.compressed.example.yaml')

for (const [decode, pack] of [
  ['gzip', gzipSync],
  ['deflate-raw', deflateRawSync],
] as const) {
  t.test(`a feed of ${decode}: pings are answered, raw is as it came, the table has the text`, async t => {
    // More than anybody should hold: 16 MiB of blanks in 16 KiB.
    const bomb = pack(Buffer.alloc(16 * 1024 * 1024, 0x20))
    const sent = [
      ...[ping, trade(1), '{"ch":"market.btcusdt.bbo","tick":{}}', 'not JSON', trade(2)].map(text => pack(text)),
      bomb,
      Buffer.from([0xff, 0x00, 0xfe]),
    ]
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
    await once(server, 'listening')
    t.teardown(() => {
      for (const socket of server.clients) socket.terminate()
      server.close()
    })
    const heard: string[] = []
    server.on('connection', socket => {
      for (const message of sent) socket.send(message)
      socket.send('{"ch":"market.btcusdt.bbo","plain":true}')
      socket.on('message', (data: Buffer) => heard.push(data.toString('utf8')))
    })
    const { exchange } = parse(readFileSync(example, 'utf8')) as { exchange: Record<string, unknown> }
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`
    const recorder = startRecorder(t, t.testdir({}), { ...exchange, url, decode })
    await until('the answer to a ping', () => heard.includes('{"pong":1795000000123}'))
    await until('all frames', () => framesTaken(recorder, 'other') >= 4)
    // Rows of what is not sealed yet are the same.
    const early = await commandHere([
      'query',
      '--config',
      recorder.configFile,
      '--json',
      'SELECT count(*) AS n FROM frames',
    ])
    t.match(early.stdout, /"n":\s*1\d/)
    recorder.process.kill('SIGTERM')
    t.equal((await recorder.process).exitCode, 0)

    const received = recordedLines(recorder.dataDir).filter(({ conn, family }) => conn === 'd1' && family !== 'journal')
    const byFamily = (family: string) => received.filter(line => line.family === family)
    t.same(
      received.sort((a, b) => a.seq - b.seq).map(({ frame }) => frame),
      [...sent, Buffer.from('{"ch":"market.btcusdt.bbo","plain":true}')],
      'byte for byte what was sent',
    )
    t.ok(received.slice(0, -1).every(({ encoding }) => encoding === 'base64'))
    t.same([byFamily('frames.trade').length, byFamily('frames.quote').length, byFamily('other').length], [2, 2, 4])
    const odd = recordedLines(recorder.dataDir).filter(
      ({ family, frame }) => family === 'journal' && frame.includes('odd_frame'),
    )
    t.ok(odd.length >= 1 && odd.every(({ frame }) => /a binary message that is no/.test(frame.toString('utf8'))))

    await commandHere(['compact', '--once', '--config', recorder.configFile])
    const sql = `SELECT channel, encoding, frame FROM frames WHERE conn = 'd1' ORDER BY seq`
    const { stdout } = await commandHere(['query', '--path', recorder.dataDir, '--json', sql])
    const rows = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { channel: string | null; encoding: string; frame: string })
    const channel = 'market.btcusdt.trade.detail'
    t.same(rows.slice(0, 5), [
      { channel: null, encoding: 'frame', frame: ping },
      { channel, encoding: 'frame', frame: trade(1) },
      { channel: 'market.btcusdt.bbo', encoding: 'frame', frame: '{"ch":"market.btcusdt.bbo","tick":{}}' },
      { channel: null, encoding: 'text', frame: 'not JSON' },
      { channel, encoding: 'frame', frame: trade(2) },
    ])
    t.same([rows[5]?.encoding, rows[5]?.frame], ['base64', bomb.toString('base64')], 'too much text stays as it came')
    t.same(rows[6], { channel: null, encoding: 'base64', frame: '/wD+' })
    t.equal((await commandHere(['verify', recorder.dataDir])).exitCode, 0)
  })
}

t.test('no bytes do harm', t => {
  t.equal(inflatedText(deflateSync('{"a":1}'), 'deflate')?.toString(), '{"a":1}')
  const whole = gzipSync('{"a":1}')
  for (let length = 0; length < whole.length; length++)
    t.equal(inflatedText(whole.subarray(0, length), 'gzip'), undefined)
  for (const compression of ['gzip', 'deflate', 'deflate-raw'] as const) {
    for (let seed = 0; seed < 2000; seed++) {
      const bytes = Buffer.from([seed & 0xff, (seed * 7) & 0xff, seed >> 3, (seed * 31) & 0xff, 0x7b])
      inflatedText(bytes, compression)
    }
    t.equal(inflatedText(Buffer.alloc(0), compression), undefined)
  }
  t.end()
})

import { once, type EventEmitter } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import t from 'tap'
import { httpBody } from '../../exchanges/http-body.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { matchAll } from '../fixtures/match-all.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, statusOf, until } from '../fixtures/recorder-process.js'
import { PERPETUAL, scriptedExchange } from '../fixtures/scripted-exchange.js'

const notification = (channel: string, data: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":${JSON.stringify(channel)},"data":${data}}}`

const names = [
  '../../x',
  '../'.repeat(40) + 'etc/passwd',
  'a/b',
  '.',
  '..',
  'a\0b',
  '%2e%2e%2f',
  'x'.repeat(300),
  'CON',
  'nul.txt',
  'btc-perpetual',
  'BTC-PERPETUAL\n',
]

/** What a broken or hostile exchange may send; each must be in the files as it came. */
const frames: Buffer[] = [
  ...names.map(name => notification(`quote.${name}`, `{"instrument_name":${JSON.stringify(name)}}`)),
  ...names.map(name => notification(name, '{}')),
  '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":17',
  '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL",\n"data":{}}}',
  'not json at all',
  '',
  '{}',
  '[]',
  'null',
  '{"id":1e400,"result":{}}',
  '{"id":1,"error":null}',
  '{"method":"heartbeat","params":null}',
  '{"error":{"code":11051,"message":"system_maintenance"}}',
  notification('book.BTC-PERPETUAL.100ms', '['.repeat(10_000) + ']'.repeat(10_000)),
  notification('book.BTC-PERPETUAL.100ms', `"${'x'.repeat(20_000_000)}"`),
  notification('quote.BTC-PERPETUAL', '{"a":9007199254740993,"b":2.0e3,"c":"\\ud800"}'),
].map(text => Buffer.from(text))
const binary = [Buffer.from([0xff, 0xfe, 0x00, 0x0a]), Buffer.from('{"binary":true}')]
const last = notification('quote.END', '{}')

t.test('whatever the exchange sends is kept as it came, and nothing is written outside the tree', async t => {
  const exchange = await scriptedExchange(
    [PERPETUAL, { ...PERPETUAL, instrument_name: '../../evil' }, { instrument_name: '' }, 7],
    socket => {
      for (const frame of frames) socket.send(frame, { binary: false })
      for (const frame of binary) socket.send(frame, { binary: true })
      // Text that is not UTF-8.
      socket.send(Buffer.from([0x22, 0xc3, 0x28, 0x22]), { binary: false })
      socket.send(last)
    },
  )
  t.teardown(() => exchange.close())
  const folder = t.testdir({})
  const recorder = startRecorder(t, folder, { url: exchange.url, currencies: ['BTC'] })
  await until('the last frame', () => framesTaken(recorder, 'quote') >= names.length + 4, 20_000)
  recorder.process.kill()
  const { exitCode, stderr } = await recorder.process
  t.equal(exitCode, 0, stderr)

  const received = recordedLines(recorder.dataDir)
    .filter(({ conn }) => conn === 'd1')
    .sort((one, other) => one.seq - other.seq)
  const first = received.findIndex(({ frame }) => frame.equals(frames[0] ?? Buffer.alloc(0)))
  const kept = received.slice(first, first + frames.length + binary.length)
  for (const [index, frame] of [...frames, ...binary].entries()) {
    if (!kept[index]?.frame.equals(frame))
      t.fail(`frame ${index} was changed: ${frame.toString('latin1').slice(0, 80)}`)
  }
  t.equal(kept.length, frames.length + binary.length)
  t.equal(kept.at(-2)?.encoding, 'base64')
  t.ok(
    received.some(({ frame }) => frame.equals(Buffer.from([0x22, 0xc3, 0x28, 0x22]))),
    'text that is not UTF-8 is kept, too',
  )

  const odd = recordedLines(recorder.dataDir)
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as { event: string; message: string })
    .filter(({ event }) => event === 'odd_frame')
  const kinds = odd.map(({ message }) => message.replace(/\d+/g, '#'))
  t.ok(kinds.length >= 4 && kinds.length === new Set(kinds).size, `each kind once: ${kinds.join('; ')}`)

  for (const path of rawFiles(recorder.dataDir)) t.ok(parseSegmentPath(path), path)
  t.same(readdirSync(folder).sort(), ['data', 'edgetape.yaml'], 'nothing beside the data folder')
  t.same(readdirSync(recorder.dataDir).sort(), ['.edgetape-data', 'raw', 'state'])
  t.notOk(readdirSync(dirname(folder)).includes('x'))
})

t.test('of a complaint that came again at the end it was not told that it had been there before', async t => {
  const odd = Buffer.from([0x22, 0xc3, 0x28, 0x22])
  const exchange = await scriptedExchange([PERPETUAL], socket => {
    socket.send(odd, { binary: false })
    // Once more when it hears that the connection is to end, before it says yes to that.
    const { _receiver: receiver } = socket as unknown as { _receiver: EventEmitter }
    receiver.prependListener('conclude', () => socket.send(odd, { binary: false }))
  })
  t.teardown(() => exchange.close())
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url, currencies: ['BTC'] })
  await until('it is stored', () => {
    const { frames = NaN, stored_frames: stored } = statusOf(recorder)
    return framesTaken(recorder, 'other') === 1 && stored === frames
  })
  recorder.process.kill()
  await recorder.process
  const lines = recordedLines(recorder.dataDir)
  t.equal(lines.filter(({ family }) => family === 'other').length, 2)
  const told = lines
    .filter(({ family }) => family === 'journal')
    .map(({ frame }) => JSON.parse(frame.toString('utf8')) as { event: string })
    .filter(({ event }) => ['odd_frame', 'repeated', 'stopped'].includes(event))
  matchAll(t, told, [{ event: 'odd_frame' }, { event: 'repeated', of: 'odd_frame', count: 1 }, { event: 'stopped' }])
})

t.test('an answer over HTTP that never ends filled the memory', async t => {
  const chunk = Buffer.alloc(1024 * 1024)
  let sentMiB = 0
  const server = createServer((_request, response) => {
    const send = () => {
      sentMiB++
      // Enough, whoever reads it.
      if (sentMiB === 256) response.end()
      else if (response.write(chunk)) setImmediate(send)
      else response.once('drain', send)
    }
    send()
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await t.rejects(httpBody({ url }, new AbortController().signal), { code: 'HTTP_CALL_FAILED', message: /more than/ })
  t.ok(sentMiB < 128, `${sentMiB} MiB were sent`)
})

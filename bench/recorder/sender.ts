/**
 * The far end of the recorder's benchmark, a process of its own: answers what a recorder asks, then sends frames as fast
 * as the socket takes them, or at a steady rate, each with the time of its sending. Usage: sender.js <300 B | mix>
 * <frames per second, 0: flat out>
 */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import { benchFrames, benchSnapshots, Numbering, webSocketFrame } from './frames.js'

const [shape, rate] = process.argv.slice(2)
const framesPerSecond = Number(rate)
const frames = benchFrames(shape === 'mix' ? 'mix' : '300 B')
const clock = new ReceiveClock()

const instrument = {
  instrument_name: 'BTC-PERPETUAL',
  kind: 'future',
  base_currency: 'BTC',
  settlement_currency: 'BTC',
  settlement_period: 'perpetual',
  price_index: 'btc_usd',
  is_active: true,
}

const server = createServer((_request, response) =>
  response.end(JSON.stringify({ jsonrpc: '2.0', result: [instrument] })),
)
server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
  const key = `${request.headers['sec-websocket-key'] ?? ''}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
  const accept = createHash('sha1').update(key).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  )
  socket.on('error', () => socket.destroy())
  let sending = false
  socket.on('data', (bytes: Buffer) => {
    for (const text of clientFrames(bytes)) {
      const { id, method, params } = JSON.parse(text) as { id: number; method: string; params: { channels?: string[] } }
      socket.write(webSocketFrame(JSON.stringify({ jsonrpc: '2.0', id, result: params.channels ?? 'ok' })))
      if (method !== 'public/subscribe' || sending) continue
      sending = true
      for (const snapshot of benchSnapshots()) socket.write(snapshot)
      if (framesPerSecond === 0) sendFlatOut(socket)
      else sendSteadily(socket)
    }
  })
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))

function sendFlatOut(socket: Socket): void {
  const numbering = new Numbering()
  const block = Buffer.concat(frames.map(({ bytes }) => bytes))
  let at = 0
  const numbered = frames.flatMap(frame => {
    const from = at
    at += frame.bytes.length
    return frame.numbers.length > 0 ? [{ from, frame }] : []
  })
  const next = () => {
    for (const { from, frame } of numbered) numbering.write(block, from, frame)
    return numbered.length > 0 ? Buffer.from(block) : block
  }
  const send = () => {
    let room = true
    while (room && !socket.destroyed) room = socket.write(next())
  }
  socket.on('drain', send)
  send()
}

/** What is due by the clock, each millisecond; every frame carries the time of its sending. */
function sendSteadily(socket: Socket): void {
  const numbering = new Numbering()
  const started = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    if (socket.destroyed) {
      clearInterval(timer)
      return
    }
    const due = Math.floor(((performance.now() - started) / 1000) * framesPerSecond)
    for (; sent < due; sent++) {
      const frame = frames[sent % frames.length]
      if (!frame) return
      const bytes = Buffer.from(frame.bytes)
      numbering.write(bytes, 0, frame)
      bytes.write(String(clock.nowUs()), frame.stampAt, 'latin1')
      socket.write(bytes)
    }
  }, 1)
}

/** The text of masked client frames; the recorder's requests are short and come whole. */
function clientFrames(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let at = 0; at + 6 <= bytes.length;) {
    const opcode = (bytes[at] ?? 0) & 0x0f
    let length = (bytes[at + 1] ?? 0) & 0x7f
    at += 2
    if (length === 126) {
      length = bytes.readUInt16BE(at)
      at += 2
    }
    const mask = bytes.subarray(at, at + 4)
    const payload = Buffer.from(bytes.subarray(at + 4, at + 4 + length))
    for (let index = 0; index < payload.length; index++) payload[index] = (payload[index] ?? 0) ^ (mask[index % 4] ?? 0)
    if (opcode === 1) texts.push(payload.toString('utf8'))
    at += 4 + length
  }
  return texts
}

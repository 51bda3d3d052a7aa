/** Real sockets, plain and with TLS: every frame comes once and in order, whatever memory its bytes were read into. */
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { createServer as createTls } from 'node:tls'
import t, { type Test } from 'tap'
import { dial } from '../../recorder/connection/dial.js'
import { WholeFrames } from '../../recorder/connection/whole-frames.js'
import { withEnvironment } from '../fixtures/environment.js'

const FRAMES = 4000

/** Frame `n` of a server; some are longer than a read, some go through ws. */
function frame(n: number): Buffer {
  const payload = Buffer.from(String(n).repeat(1 + ((n * 7919) % 97) * (n % 500 === 0 ? 300 : 1)))
  const { length } = payload
  const head =
    length < 126
      ? [0x81, length]
      : length < 65_536
        ? [0x81, 126, length >> 8, length & 255]
        : [0x81, 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]
  return Buffer.concat([Buffer.from(head), payload, ...(n % 300 === 0 ? [Buffer.from([0x89, 1, 0x2e])] : [])])
}

const numberIn = (payload: string, n: number) =>
  payload.startsWith(String(n)) && payload.length % String(n).length === 0

/** Answers the handshake and sends all frames, the first ones in the packet of the answer; then it closes. */
function serve(socket: Socket): void {
  socket.on('error', () => undefined)
  socket.once('data', (request: Buffer) => {
    const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString('latin1'))?.[1] ?? ''
    const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
    const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    const frames = Array.from({ length: FRAMES }, (_, n) => frame(n))
    // The first packet ends within a frame.
    const all = Buffer.concat([Buffer.from(head), ...frames, Buffer.from([0x88, 2, 0x03, 0xe8])])
    socket.write(all.subarray(0, 1001))
    socket.write(all.subarray(1001))
  })
}

async function heardFrom(t: Test, server: Server, scheme: 'ws' | 'wss') {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { socket, memory } = dial(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const heard: string[] = []
  let [beside, tcp] = [0, undefined as Socket | undefined]
  const kept: Buffer[] = []
  socket.on('upgrade', ({ socket: inner }) => (tcp = inner))
  socket.on('message', (data: Buffer) => heard.push(data.toString()))
  socket.on('open', () => {
    if (!tcp) throw new Error('no socket')
    WholeFrames.take(
      tcp,
      memory,
      () => 0,
      data => {
        beside++
        heard.push(data.toString())
        if (kept.length < 50) kept.push(data)
        // Reading rests now and then, as it does while the disk is slow.
        if (beside % 500 !== 0) return
        socket.pause()
        void setImmediate().then(() => socket.resume())
      },
    )
  })
  const code = await new Promise<number>(resolve => socket.once('close', resolve))
  return { heard, beside, code, kept, isUsed: memory.isUsed }
}

function certificate(t: Test): { key: Buffer; cert: Buffer } {
  const folder = t.testdir({})
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', [...request, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], { stdio: 'ignore' })
  return { key: readFileSync(key), cert: readFileSync(cert) }
}

for (const scheme of ['ws', 'wss'] as const)
  t.test(`all that a ${scheme}:// server sends comes once, in order, through one memory`, async t => {
    if (scheme === 'wss') withEnvironment(t, { NODE_TLS_REJECT_UNAUTHORIZED: '0' })
    const server = scheme === 'ws' ? createServer(serve) : createTls(certificate(t), serve)
    const { heard, beside, code, kept } = await heardFrom(t, server, scheme)
    t.equal(heard.length, FRAMES)
    t.notOk(
      heard.find((payload, n) => !numberIn(payload, n)),
      'each at its place, and whole',
    )
    t.ok(beside > FRAMES / 2, `${beside} did not go through ws`)
    t.equal(code, 1000)
    t.ok(
      new Set(kept.map(({ buffer }) => buffer)).size <= 2,
      'reads share one memory; what came with the handshake has its own',
    )
  })

/**
 * Other ways to record the same frames into a file, each a process of its own. Usage: peer.js <append | tardis-dev> <url>
 * <file>; prints the number of frames so far, each second.
 * append: what compiled recorders do: each frame is parsed, checked and appended as it is, not compressed, never synced.
 * tardis-dev: its stream of messages, written as JSON to a file.
 */
import { createWriteStream, openSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { WebSocket } from '../../platform/web-socket.js'

const [way, url = '', file = ''] = process.argv.slice(2)
let frames = 0
setInterval(() => process.stdout.write(`${frames}\n`), 1000)

interface Tardis {
  stream(options: object): AsyncIterable<{ localTimestamp: Date; message: unknown }>
}

if (way === 'append') append()
else await follow()

function append(): void {
  const fd = openSync(file, 'a')
  const socket = new WebSocket(url, { perMessageDeflate: false })
  const lastIds = new Map<string, number>()
  const params = { channels: ['quote.BTC-PERPETUAL'] }
  socket.on('open', () => {
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params }))
  })
  socket.on('message', (frame: Buffer) => {
    const { params } = JSON.parse(frame.toString('utf8')) as Notification
    if (!params) return
    const { change_id: id, prev_change_id: before } = params.data
    if (id !== undefined) {
      if (before !== undefined && before < 0) throw new Error(params.channel)
      lastIds.set(params.channel, id)
    }
    writeSync(fd, `{"recv_us":${Date.now() * 1000},"frame":${frame.toString('utf8')}}\n`)
    frames++
  })
}

interface Notification {
  params?: { channel: string; data: { change_id?: number; prev_change_id?: number } }
}

async function follow(): Promise<void> {
  process.env['WSS_URL_DERIBIT'] = url
  const tardis = createRequire(import.meta.url)('tardis-dev') as Tardis
  const target = createWriteStream(file)
  const filters = ['quote', 'ticker', 'book', 'trades'].map(channel => ({ channel, symbols: ['BTC-PERPETUAL'] }))
  for await (const { localTimestamp, message } of tardis.stream({
    exchange: 'deribit',
    filters,
    timeoutIntervalMS: 60_000,
  })) {
    target.write(`${JSON.stringify({ localTimestamp, message })}\n`)
    frames++
  }
}

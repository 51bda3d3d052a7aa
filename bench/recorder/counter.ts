/**
 * The yardstick: a client that takes frames and does nothing but count, or but stamp them. Usage: counter.js <url>
 * <seconds> [stamps]; prints frames/s, or the stamps' delays as JSON.
 */
import { WebSocket } from '../../platform/web-socket.js'
import { ReceiveClock } from '../../recorder/receive-clock.js'
import { delaysOf, sentUs } from './delays.js'

const [url = '', seconds = '5', what] = process.argv.slice(2)
const WARM_UP_MS = 1000

const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
let frames = 0
const delaysUs: number[] = []
if (what === 'stamps') {
  const stamps = new ReceiveClock().stamps()
  socket.on('message', (frame: Buffer) => {
    const nowUs = stamps.nowUs()
    frames++
    const us = sentUs(frame)
    if (us !== undefined) delaysUs.push(nowUs - us)
  })
} else socket.on('message', () => frames++)
socket.on('open', () => {
  socket.send(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'public/subscribe',
      params: { channels: ['quote.BTC-PERPETUAL'] },
    }),
  )
  setTimeout(() => {
    const from = frames
    delaysUs.length = 0
    const started = performance.now()
    setTimeout(
      () => {
        const perSecond = Math.round(((frames - from) / (performance.now() - started)) * 1000)
        process.stdout.write(what === 'stamps' ? JSON.stringify(delaysOf(delaysUs)) : `${perSecond}\n`)
        process.exit(0)
      },
      Number(seconds) * 1000,
    )
  }, WARM_UP_MS)
})

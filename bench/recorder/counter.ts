/** The yardstick: a client that takes frames and does nothing but count. Usage: counter.js <url> <seconds> */
import WebSocket from 'ws'

const [url = '', seconds = '5'] = process.argv.slice(2)
const WARM_UP_MS = 1000

const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })
let frames = 0
socket.on('message', () => frames++)
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
    const started = performance.now()
    setTimeout(
      () => {
        process.stdout.write(`${Math.round(((frames - from) / (performance.now() - started)) * 1000)}\n`)
        process.exit(0)
      },
      Number(seconds) * 1000,
    )
  }, WARM_UP_MS)
})

/** One connection of the simulated exchange: what goes out, what goes wrong on the way, and that nothing outlives its end. */
import type { Duplex } from 'node:stream'
import t from 'tap'
import type { WebSocket } from 'ws'
import { Connection, type Conversation } from '../../simulator/connection.js'
import { Faults } from '../../simulator/faults.js'
import { movedTime, settled } from '../fixtures/moved-time.js'

/** A socket that writes down what is done with it. */
function world(maxBufferedBytes = 1000) {
  const sent: (readonly [text: string, isBinary: boolean])[] = []
  const done: string[] = []
  const socket = {
    readyState: 1,
    OPEN: 1,
    bufferedAmount: 0,
    send(payload: Buffer, { binary }: { binary: boolean }, then?: () => void) {
      sent.push([payload.toString(), binary])
      then?.()
    },
    close: (code: number, reason: string) => void done.push(`close ${code} ${reason}`),
    terminate: () => void done.push('terminate'),
    pause: () => void done.push('pause'),
  }
  const stream = { cork: () => void done.push('cork'), uncork: () => void done.push('uncork') }
  const faults = new Faults(
    () => undefined,
    (_channel, data) => data,
  )
  const connection = new Connection(
    socket as unknown as WebSocket,
    stream as unknown as Duplex,
    '127.0.0.1',
    faults,
    maxBufferedBytes,
  )
  const heard: string[] = []
  const conversation: Conversation = {
    heard: frame => void heard.push(frame.toString()),
    silenced: () => void heard.push('(silenced)'),
    ended: () => void heard.push('(ended)'),
  }
  connection.converse(conversation)
  const deliver = (channel: string, text = 'x') => connection.deliver(channel, Buffer.from(text))
  return { connection, socket, sent, done, faults, heard, deliver, texts: () => sent.map(([text]) => text) }
}

t.test('frames of one turn leave together', async t => {
  const { deliver, done, sent } = world()
  for (const text of ['a', 'b', 'c']) deliver('book', text)
  t.same(done, ['cork'])
  await settled()
  t.same(done, ['cork', 'uncork'])
  deliver('book')
  await settled()
  t.same(done, ['cork', 'uncork', 'cork', 'uncork'])
  t.equal(sent.length, 4)
})

t.test('a reader that does not keep up is dropped, and nothing is sent to it any more', async t => {
  await movedTime(async pass => {
    const { connection, socket, deliver, done, heard, sent } = world(1000)
    deliver('book')
    await pass(0)
    await settled()
    t.ok(connection.open)
    socket.bufferedAmount = 1001
    deliver('book')
    await settled()
    t.ok(done.includes('close 1008 connection_too_slow'))
    t.notOk(connection.open)
    t.same(heard, ['(ended)'])
    deliver('book')
    t.equal(sent.length, 2)
    t.notOk(done.includes('terminate'), 'it may close properly')
    await pass(1000)
    t.ok(done.includes('terminate'))
  })
})

t.test('half-open: it hears nothing, says nothing, and does not even end', async t => {
  const { connection, deliver, done, heard, sent } = world()
  connection.heard(Buffer.from('hello'))
  connection.fallSilent()
  connection.heard(Buffer.from('are you there?'))
  deliver('book')
  connection.send('pong')
  connection.end(1001, 'bye')
  await settled()
  t.same(heard, ['hello', '(silenced)'])
  t.same(sent, [])
  t.same(done, ['pause'])
  connection.leave()
  t.same(heard.at(-1), '(ended)', 'until the client goes')
})

t.test('whatever ends a connection ends it once', t => {
  const { connection, heard, done, deliver, sent } = world()
  deliver('book')
  connection.cut()
  connection.leave()
  connection.end(1000, 'late')
  connection.cut()
  deliver('book')
  connection.heard(Buffer.from('late'))
  t.same(heard, ['(ended)'])
  t.equal(sent.length, 1)
  t.same(done.filter(one => one === 'uncork').length, 1, 'what was held back goes')
  t.notOk(done.some(one => one.startsWith('close')))
  t.end()
})

t.test('channels that are muted are not heard on it, and all else is', t => {
  const { connection, deliver, texts } = world()
  connection.mute('book.*')
  connection.mute('trades.A')
  for (const channel of ['book.A', 'trades.A', 'trades.AB', 'quote.A']) deliver(channel, channel)
  connection.send('answer')
  t.same(texts(), ['trades.AB', 'quote.A', 'answer'])
  t.end()
})

t.test('faults hit frames of channels alone, and a frame that is late comes unless the connection ended', async t => {
  await movedTime(async pass => {
    const { connection, deliver, faults, sent, texts } = world()
    faults.inject({ type: 'delay', channel: 'book', delayMs: 500 })
    faults.inject({ type: 'binary', channel: 'book' })
    deliver('book', 'late')
    deliver('book', 'binary')
    connection.send('answer')
    t.same(sent, [
      ['binary', true],
      ['answer', false],
    ])
    await pass(500)
    t.same(texts(), ['binary', 'answer', 'late'])
    faults.inject({ type: 'delay', channel: 'book', delayMs: 500 })
    deliver('book', 'too late')
    connection.cut()
    await pass(500)
    t.equal(sent.length, 3)
  })
})

t.test('what is to be waited for has left when it resolves', async t => {
  const { connection, texts, socket } = world()
  await connection.sendAndWait(Buffer.from('whole'))
  t.same(texts(), ['whole'])
  socket.bufferedAmount = 77
  t.equal(connection.bufferedBytes, 77)
  socket.readyState = 2
  t.equal(connection.open, false)
  connection.send('nothing')
  t.same(texts(), ['whole'], 'a socket that is closing takes nothing')
})

/** Who is answered, and who is let go, where more ask than there is room for. */
import { EventEmitter, once } from 'node:events'
import { Server, type ServerResponse } from 'node:http'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { keepRoomForQuestions } from '../../../monitor/http/room-for-questions.js'
import { StatusStream } from '../../../monitor/http/status-stream.js'
import { holds } from '../../fixtures/holds.js'

/** What a server hears of connections, without any. */
class Line extends EventEmitter {
  isClosed = false
  readonly number: number
  constructor(number: number) {
    super()
    this.number = number
  }
  destroy(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.emit('close')
  }
}

function room(max: number) {
  const server = new Server()
  keepRoomForQuestions(server, max)
  const lines: Line[] = []
  const answers = new Map<Line, EventEmitter>()
  return {
    lines,
    open: () => lines.filter(({ isClosed }) => !isClosed),
    isAsking: (line: Line) => answers.has(line),
    connect: () => {
      const line = new Line(lines.length)
      lines.push(line)
      server.emit('connection', line)
      return line
    },
    ask: (line: Line) => {
      if (answers.has(line) || line.isClosed) return
      const answer = new EventEmitter()
      answers.set(line, answer)
      server.emit('request', { socket: line }, answer)
    },
    answered: (line: Line) => {
      answers.get(line)?.emit('close')
      answers.delete(line)
    },
  }
}

t.test('beyond the room the one that asked nothing for longest goes', t => {
  const { lines, connect, ask, answered } = room(3)
  const [first, second, third] = [connect(), connect(), connect()]
  ask(first)
  connect()
  t.same(lines.map(({ isClosed }) => isClosed), [false, true, false, false], 'the first is being answered') // prettier-ignore
  answered(first)
  ask(third)
  connect()
  t.ok(lines[3]?.isClosed, 'the first asked a moment ago, the fourth never did')
  connect()
  t.ok(first.isClosed)
  t.notOk(third.isClosed)
  t.ok(second.isClosed)
  t.end()
})

t.test('where all are being answered the newest goes, and nobody who is answered ever does', t => {
  const { lines, connect, ask, answered, open } = room(2)
  for (const line of [connect(), connect()]) ask(line)
  connect()
  t.same(lines.map(({ isClosed }) => isClosed), [false, false, true]) // prettier-ignore
  const [first] = lines
  if (first) answered(first)
  connect()
  t.same(open().map(({ number }) => number), [1, 3]) // prettier-ignore
  t.end()
})

t.test('whatever comes and goes, no more are open than there is room for, and no answer is cut off', t => {
  const step = fc.tuple(fc.constantFrom('connect', 'ask', 'answered', 'leave'), fc.nat(20))
  holds(
    t,
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (max, steps) => {
      const { lines, connect, ask, answered, open, isAsking } = room(max)
      for (const [what, at] of steps) {
        const line = lines[at % Math.max(1, lines.length)]
        const asking = lines.filter(one => isAsking(one) && !one.isClosed)
        if (what === 'connect') connect()
        else if (line && what === 'ask') ask(line)
        else if (line && what === 'answered') answered(line)
        else line?.destroy()
        for (const one of asking) assert.ok(!one.isClosed || (one === line && what === 'leave'), 'one that is answered')
        assert.ok(open().length <= max, `${open().length} open`)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

/** A page that takes what it is sent, or nothing. */
class Page extends EventEmitter {
  readonly got: string[] = []
  writableLength = 0
  isCut = false
  status = 0
  writeHead(status: number): void {
    this.status = status
  }
  write(text: string): void {
    this.got.push(text)
  }
  destroy(): void {
    this.isCut = true
    this.emit('close')
  }
}

function follow(stream: StatusStream) {
  const page = new Page()
  const refused = stream.streams['/api/events']?.(new URLSearchParams(), page as unknown as ServerResponse)
  return { page, refused }
}

t.test('what is seen goes to each page that follows, and is made for none where nobody does', t => {
  const stream = new StatusStream()
  let made = 0
  const tell = () => stream.send(() => ({ made: ++made, text: 'a\nb' }))
  tell()
  t.equal(made, 0)
  const pages = [follow(stream), follow(stream)].map(({ page }) => page)
  tell()
  t.equal(made, 1, 'once for all of them')
  for (const { got, status } of pages) {
    t.equal(status, 200)
    t.same(got, ['retry: 2000\n\n', 'event: status\ndata: {"made":1,"text":"a\\nb"}\n\n'], 'one line of data')
  }
  stream.send(() => undefined)
  t.equal(pages[0]?.got.length, 2, 'nothing is known yet')
  t.end()
})

t.test('a page that takes less than comes is cut off, and its place is free', t => {
  const stream = new StatusStream()
  const pages = Array.from({ length: 8 }, () => follow(stream).page)
  t.match(follow(stream).refused, { status: 503 })
  const [slow, other] = pages
  if (slow) slow.writableLength = 2 * 1024 * 1024
  stream.send(() => ({}))
  t.ok(slow?.isCut)
  t.notOk(other?.isCut)
  t.equal(follow(stream).refused, undefined)
  t.match(follow(stream).refused, { status: 503 })
  t.end()
})

t.test('one that went away takes no place', async t => {
  const stream = new StatusStream()
  for (let n = 0; n < 30; n++) {
    const { page, refused } = follow(stream)
    t.equal(refused, undefined)
    const gone = once(page, 'close')
    page.emit('close')
    await gone
  }
  let made = 0
  stream.send(() => ({ made: ++made }))
  t.equal(made, 0)
})

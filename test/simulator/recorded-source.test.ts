/** Recordings that are played again: of every form, in their pace, to whoever listens, cut off or empty. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { framesOf, RecordingPlayer, scanRecording, type Listener } from '../../simulator/recorded-source.js'

function fileWith(t: Test, content: string | Buffer): string {
  const path = join(t.testdir({}), 'session.jsonl')
  writeFileSync(path, content)
  return path
}

async function read(path: string): Promise<[number | undefined, string][]> {
  const frames: [number | undefined, string][] = []
  for await (const { atSeconds, bytes } of framesOf(path)) frames.push([atSeconds, bytes.toString('latin1')])
  return frames
}

const line = (t: unknown, dir: string, raw: unknown) => JSON.stringify({ t, dir, raw })

t.test('what the exchange sent, and nothing else that stands in a session', async t => {
  const session = [
    line(1.5, 'in', '{"a":1}'),
    line(2, 'out', '{"method":"public/subscribe"}'),
    '',
    line('3', 'in', 'pong'),
    line(4, 'in', 77),
    '{ "dir":"in", "raw":"spaced" }',
    line(5, 'in', 'last'),
  ]
  const expected = [
    [1.5, '{"a":1}'],
    [undefined, 'pong'],
    [undefined, 'spaced'],
    [5, 'last'],
  ]
  t.same(await read(fileWith(t, session.join('\n'))), expected, 'without a line feed at the end')
  t.same(await read(fileWith(t, `${session.join('\n')}\n\n`)), expected)
})

t.test('lines that are a frame each are taken as they are, whatever their bytes', async t => {
  const bytes = Buffer.concat([
    Buffer.from('{"topic":"x"}\n{"t'),
    Buffer.from([0xff, 0x00, 0x0d]),
    Buffer.from('\n{"time":1}\npong'),
  ])
  t.same(await read(fileWith(t, bytes)), [
    [undefined, '{"topic":"x"}'],
    [undefined, '{"t\u00ff\u0000\r'],
    [undefined, '{"time":1}'],
    [undefined, 'pong'],
  ])
})

t.test('a recording that was cut off in its last line could not be played at all', async t => {
  const whole = `${line(1, 'in', 'first')}\n${line(2, 'in', 'second')}`
  for (let length = whole.length - 1; length > whole.length - 20; length--)
    t.same(await read(fileWith(t, whole.slice(0, length))), [[1, 'first']], `${length} bytes`)
  const path = fileWith(t, `${line(1, 'in', 'first')}\n{"t":2,"dir":"in","ra\n${line(3, 'in', 'third')}\n`)
  await t.rejects(read(path), { code: 'RECORDING_UNREADABLE', message: /no JSON: \{"t":2,"dir":"in","ra/ })
})

t.test('a recording is looked through before it is played', async t => {
  const seen: string[] = []
  const path = fileWith(
    t,
    [line(undefined, 'in', 'a'), line(1_795_000_000.6789, 'in', 'b'), line(1_795_000_001, 'in', 'c')].join('\n'),
  )
  t.same(await scanRecording(path, frame => void seen.push(frame)), { frames: 3, startMs: 1_795_000_000_678 })
  t.same(seen, ['a', 'b', 'c'])
  const nothing = () => undefined
  for (const empty of ['', '\n\n', line(1, 'out', 'x')])
    await t.rejects(scanRecording(fileWith(t, empty), nothing), { code: 'RECORDING_EMPTY' }, JSON.stringify(empty))
  await t.rejects(scanRecording(join(t.testdir({}), 'nowhere'), nothing), { code: 'RECORDING_UNREADABLE' })
})

/** A connection that may go away after some frames, or be slow. */
class Client implements Listener {
  readonly got: string[] = []
  waited = 0
  bufferedBytes = 0

  constructor(private readonly leavesAfter = Infinity) {}

  get open(): boolean {
    return this.got.length < this.leavesAfter
  }

  send(frame: Buffer): void {
    this.got.push(frame.toString())
  }

  sendAndWait(frame: Buffer): Promise<void> {
    this.waited++
    this.bufferedBytes = 0
    this.send(frame)
    return Promise.resolve()
  }
}

const many = (count: number) => Array.from({ length: count }, (_, at) => line(at, 'in', String(at))).join('\n')
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => String(from + at))

t.test('a recording is played once, to one connection after the other: none twice, none left out', async t => {
  const player = new RecordingPlayer(fileWith(t, many(3000)), 0)
  const [first, second] = [new Client(1000), new Client()]
  player.playTo(first)
  player.playTo(second)
  for (; first.open;) await new Promise(resolve => setImmediate(resolve))
  t.same(second.got, [], 'while another one is being played to')
  for (; player.framesSent < 3000;) {
    player.playTo(second)
    await new Promise(resolve => setImmediate(resolve))
  }
  await player.finished
  t.same([...first.got, ...second.got], numbers(0, 3000))
  t.equal(second.got.length, 2000)
  const late = new Client()
  player.playTo(late)
  await new Promise(resolve => setImmediate(resolve))
  t.same(late.got, [], 'it is over')
})

t.test('whoever does not keep up is waited for', async t => {
  const player = new RecordingPlayer(fileWith(t, many(10)), 0)
  const client = new Client()
  client.bufferedBytes = 2 * 1024 * 1024
  player.playTo(client)
  await player.finished
  t.equal(client.waited, 1)
  t.same(client.got, numbers(0, 10))
})

t.test('in its pace: no frame comes before its time, at any speed', async t => {
  const path = fileWith(t, [0, 0.2, 0.4].map((at, index) => line(at, 'in', String(index))).join('\n'))
  const player = new RecordingPlayer(path, 4)
  const client = new Client()
  const startMs = performance.now()
  player.playTo(client)
  await player.finished
  t.ok(performance.now() - startMs >= 99, 'four times as fast')
  t.equal(client.got.length, 3)
})

t.test('a recording that breaks off ends what is played, and says so to who asks', async t => {
  const player = new RecordingPlayer(fileWith(t, `${line(1, 'in', 'a')}\n{"t":2,\n`), 0)
  const client = new Client()
  player.playTo(client)
  await t.rejects(player.finished, { code: 'RECORDING_UNREADABLE' })
  t.same(client.got, ['a'])
})

/** Lines that one thread writes where the other takes them: all, once, in their order, and among the messages where they were sent. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { LineHead, lineHead } from '../../formats/raw-line.js'
import { RING_BYTES, RingReader, RingWriter } from '../../recorder/storage/line-ring.js'
import type { Append, StorageRequest } from '../../recorder/storage/messages.js'
import { haveSameShape } from '../fixtures/same-shape.js'
import { holds } from '../fixtures/holds.js'

const GROUPS = ['quote', 'trades', 'ticker'].map(channel => ({ channel, group: `channel=${channel}` }))
const SLOTS = [0, 1000].map(slotFromUs => ({ slotFromUs, slotToUs: slotFromUs + 1000 }))

function groupOf(number: number) {
  const group = GROUPS[number]
  if (!group) throw new Error(`group ${number}`)
  return group
}

function bothEnds() {
  const writer = new RingWriter()
  const reader = new RingReader(writer.memory, groupOf)
  const head = new LineHead('d1')
  let seq = 0
  /** Returns the line as it is to come out. */
  const add = (group: number, recvUs: number, frame: Buffer) => {
    const slot = SLOTS[recvUs < 1000 ? 0 : 1]
    assert.ok(slot)
    const line = Buffer.concat([Buffer.from(lineHead(recvUs, 'd1', ++seq, 'frame')), frame, Buffer.from('}\n')])
    assert.equal(writer.add(group, slot, recvUs, head, seq, frame), line.length)
    return line
  }
  return { writer, reader, add }
}

const appendsOf = (requests: readonly StorageRequest[]): Append[] => requests.filter(({ type }) => type === 'append') as Append[] // prettier-ignore
const textOf = (requests: readonly StorageRequest[]) =>
  appendsOf(requests).map(({ bytes }) => Buffer.from(bytes).toString()).join('') // prettier-ignore

const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ does: fc.constant('add' as const), group: fc.nat(2), recvUs: fc.integer({ min: 1, max: 1999 }), bytes: fc.oneof(fc.nat(300), fc.nat(20_000)) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('send' as const, 'arrive' as const) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('look' as const) }) },
) // prettier-ignore

t.test(
  'whatever comes in between, lines come out whole, once, in the order of their group, behind the messages before them',
  t => {
    let laps = 0
    holds(t, fc.property(fc.array(step, { minLength: 100, maxLength: 300, size: 'max' }), steps => {
      const { writer, reader, add } = bothEnds()
      /** What is to come out of each group, with numbers of messages in between, and what did. */
      const wanted = GROUPS.map((): string[] => [])
      const got = GROUPS.map((): string[] => [])
      const frames = new Map<string, string>()
      const underWay: { number: number; place: number }[] = []
      let sent = 0
      let written = 0
      const take = (requests: readonly StorageRequest[]) => {
        for (const { bytes, spans, number, frames: count, slotFromUs, slotToUs, firstRecvUs, lastRecvUs, channel } of appendsOf(requests)) {
          assert.ok(spans && number !== undefined)
          assert.equal(channel, GROUPS[number]?.channel)
          const lines = Buffer.from(bytes).toString().split(/(?<=\n)/)
          assert.equal(lines.length, count)
          lines.forEach((line, n) => assert.equal(Buffer.from(bytes.subarray(spans[2 * n], spans[2 * n + 1])).toString(), frames.get(line)))
          const stamps = lines.map(line => Number(/\d+/.exec(line)?.[0]))
          assert.deepEqual([Math.min(...stamps), Math.max(...stamps)], [firstRecvUs, lastRecvUs])
          assert.ok(slotFromUs <= firstRecvUs && lastRecvUs < slotToUs)
          got[number]?.push(...lines)
        }
      }
      const arrive = () => {
        const message = underWay.shift()
        if (!message) return
        take(reader.takeBefore(message.place))
        for (const lines of got) lines.push(`message ${message.number}`)
      }
      for (const one of steps) {
        if (one.does === 'add') {
          const frame = Buffer.from(`"${'x'.repeat(one.bytes)}"`)
          if (!writer.hasRoomFor(frame)) continue
          const line = add(one.group, one.recvUs, frame).toString()
          frames.set(line, frame.toString())
          wanted[one.group]?.push(line)
          written += line.length
        } else if (one.does === 'send') {
          underWay.push({ number: ++sent, place: writer.noteMessage() })
          for (const lines of wanted) lines.push(`message ${sent}`)
        } else if (one.does === 'look') {
          const requests = reader.takeAll()
          if (underWay.length > 0) assert.deepEqual(requests, [], 'a message may stand among them')
          take(requests)
        } else arrive()
      }
      while (underWay.length > 0) arrive()
      take(reader.takeAll())
      assert.deepEqual(got, wanted)
      laps = Math.max(laps, written / RING_BYTES)
    }),
    { numRuns: 60 },
  ) // prettier-ignore
    t.ok(laps > 1.5, `round ${laps.toFixed(1)} times`)
    t.end()
  },
)

t.test('what is full takes nothing until something was taken out, and then all that is free', t => {
  const { writer, reader, add } = bothEnds()
  const frame = Buffer.from(`"${'x'.repeat(1000)}"`)
  const fill = () => {
    let lines = 0
    for (; writer.hasRoomFor(frame); lines++) add(0, 1, frame)
    return lines
  }
  const first = fill()
  t.ok(first * (frame.length + 100) > 0.95 * RING_BYTES - 2000, `${first} lines`)
  t.equal(fill(), 0)
  t.equal(textOf(reader.takeAll()).match(/\n/g)?.length, first)
  t.ok(Math.abs(fill() - first) <= 1)
  t.notOk(writer.hasRoomFor(Buffer.alloc(RING_BYTES)), 'one that is longer never fits')
  t.end()
})

t.test('the memory of what was taken is filled anew, unless it is kept', t => {
  const { reader, add } = bothEnds()
  const line = add(0, 1, Buffer.from('1')).toString()
  const first = reader.takeAll()
  reader.keepTaken()
  add(0, 1, Buffer.from('"another"'))
  const second = reader.takeAll()
  t.equal(textOf(first), line)
  const [before] = appendsOf(second)
  add(0, 1, Buffer.from('"one more"'))
  reader.takeAll()
  t.match(Buffer.from(before?.bytes ?? []).toString(), '"one more', 'that of the second was')
  t.end()
})

t.test('batches have one shape, look after look', t => {
  const { reader, add } = bothEnds()
  const taken = Array.from({ length: 30 }, (_, look) => {
    add(look % GROUPS.length, look, Buffer.from('1'))
    return appendsOf(reader.takeAll())
  }).flat()
  const [first, ...others] = taken
  t.equal(taken.length, 30)
  t.equal(others.filter(other => !haveSameShape(first ?? {}, other)).length, 0)
  t.end()
})

t.test('the time is told behind the lines that came before it, once', t => {
  const { writer, reader, add } = bothEnds()
  t.notOk(writer.tick(5), 'nobody looks yet')
  t.ok(writer.mustWake())
  add(0, 1, Buffer.from('1'))
  t.ok(writer.tick(7))
  t.same(reader.takeAll().map(request => (request.type === 'tick' ? request.nowUs : request.type)), ['append', 7]) // prettier-ignore
  t.same(reader.takeAll(), [])
  writer.tick(9)
  writer.noteMessage()
  t.same(reader.takeAll(), [], 'nor past a message')
  t.end()
})

t.test('who looks no more is woken once; and looks on where something came meanwhile', t => {
  const { writer, reader, add } = bothEnds()
  t.same([writer.mustWake(), writer.mustWake()], [true, false], 'none looks before it is woken')
  add(0, 1, Buffer.from('1'))
  t.notOk(reader.fallAsleep())
  t.notOk(writer.mustWake())
  reader.takeAll()
  writer.tick(3)
  t.notOk(reader.fallAsleep(), 'the time was told')
  reader.takeAll()
  t.ok(reader.fallAsleep())
  t.ok(writer.mustWake())
  t.end()
})

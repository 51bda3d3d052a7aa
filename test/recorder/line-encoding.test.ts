import t from 'tap'
import { BATCH_BYTES, LineBatch } from '../../recorder/line-batch.js'
import { LineHead, parseLine } from '../../formats/raw-line.js'
import { encodingOf, encodeLines } from '../../recorder/storage/line-encoding.js'

const FRAMES = [
  '{"a":1}',
  'pong',
  '{"a":"é"}',
  '{"a":\n1}',
  '',
  '[1,2]',
  Buffer.from([0xff, 0x00, 0xc3]),
  '{"half":',
  `{"long":"${'x'.repeat(1000)}"}`,
].map(frame => Buffer.from(frame))

function batchOf(frames: readonly Buffer[]) {
  const batch = new LineBatch({ channel: 'quote' }, 0, 1e9, Buffer.allocUnsafeSlow(BATCH_BYTES))
  const head = new LineHead('d1')
  frames.forEach((frame, index) => batch.add(1000 + index, head, index + 1, frame))
  return batch.take()
}

t.test('frames of every kind come back byte for byte, in order', t => {
  const { bytes, spans } = batchOf(FRAMES)
  const { lines: sound, odd } = encodeLines(bytes, spans)
  t.same(odd, { encoding: 'text', conn: 'd1', seq: 2, frames: 5 })
  const text = Buffer.from(sound).toString('latin1')
  t.ok(text.endsWith('\n'))
  const lines = text
    .slice(0, -1)
    .split('\n')
    .map(line => Buffer.from(line, 'latin1'))
  t.equal(lines.length, FRAMES.length, 'one line each')
  for (const [index, line] of lines.entries()) {
    const frame = FRAMES[index] ?? Buffer.alloc(0)
    t.doesNotThrow(() => void JSON.parse(line.toString('utf8')))
    t.same(parseLine(line), { recvUs: 1000 + index, conn: 'd1', seq: index + 1, encoding: encodingOf(frame), frame })
  }
  t.end()
})

t.test('lines that are sound are taken as they are', t => {
  const sound = FRAMES.filter(frame => encodingOf(frame) === 'frame')
  const { bytes, spans } = batchOf(sound)
  t.same(encodeLines(bytes, spans), { lines: bytes })
  const many = Array.from({ length: 700 }, () => Buffer.from('{}'))
  const batch = batchOf(many)
  t.equal(batch.spans.length, 1400)
  t.equal(encodeLines(batch.bytes, batch.spans).lines, batch.bytes)
  t.end()
})

t.test('a frame that ends as a whole one does, and is none, was taken for one', t => {
  const whole = '{"params":{"channel":"quote.BTC","data":{"a":1}}}'
  const { bytes, spans } = batchOf([whole, whole.slice(0, -1), '{"a":\n1}', '{"half":'].map(text => Buffer.from(text)))
  t.same(encodeLines(bytes, spans).odd?.broken, [{ conn: 'd1', recvUs: 1001, head: whole.slice(0, -1) }])
  t.end()
})

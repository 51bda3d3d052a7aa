import t from 'tap'
import { madeMs } from '../../../exchanges/deribit/frame-time.js'
import { capturedFrames } from '../../fixtures/captured-frames.js'

const made = (text: string) => madeMs(Buffer.from(text))

t.test('the time of a notification, of the last event in it', t => {
  const head = '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"x","data":'
  t.equal(made(`${head}{"timestamp":1763885000123,"price":1.5}}}`), 1_763_885_000_123)
  t.equal(made(`${head}[{"timestamp":1763885000123},{"timestamp":1763885000456}]}}`), 1_763_885_000_456)
  t.equal(made(`${head}{"price":1.5}}}`), undefined)
  t.equal(made(`${head}{"timestamp":"soon"}}}`), undefined)
  t.equal(made(`${head}{"timestamp":17}}}`), undefined)
  t.equal(
    made('{"jsonrpc":"2.0","id":4,"result":{"timestamp":1763885000123}}'),
    undefined,
    'an answer tells of the past',
  )
  t.equal(made(''), undefined)
  t.end()
})

t.test('of captured notifications, one that a parser finds: of the last event, or of its last leg', t => {
  for (const file of ['book', 'ticker', 'trades', 'quote', 'perpetual']) {
    const lines = capturedFrames(t, `${file}.jsonl`)
    if (!lines) continue
    t.ok(lines.length > 0, file)
    for (const line of lines) {
      const { data } = (JSON.parse(line) as { params: { data: Event | Event[] } }).params
      const last = Array.isArray(data) ? data.at(-1) : data
      const times = [last, ...(last?.legs ?? [])].map(event => event?.timestamp)
      if (!times.includes(made(line))) t.fail(`${file}: ${made(line)} instead of one of ${times.join(', ')}`)
    }
  }
  t.end()
})

interface Event {
  timestamp: number
  legs?: Event[]
}

import t from 'tap'
import { configSchema } from '../../config/schema.js'
import { compactOnce, rowsOf } from './fixtures/compacted.js'
import { rawLines, sealSegment } from './fixtures/segments.js'

const feedAt = (dataDir: string, channelAt: readonly string[]) =>
  configSchema.parse({ dataDir, exchange: { name: 'feed', adapter: 'generic', url: 'ws://127.0.0.1:1', channelAt } })

t.test('frames of a described feed have the channel that its config points to', async t => {
  const dataDir = t.testdir()
  const frames = ['{"stream":"btc@trade","d":1}', '{"e":{"c":7}}', '{"stream":{"no":"text"},"e":[]}', '["pong"]']
  sealSegment(dataDir, 'frames.spot', rawLines(frames), { exchange: 'feed' })
  const config = feedAt(dataDir, ['/stream', '/e/c'])
  t.match(await compactOnce(dataDir, { config }), { segments: 1, failed: 0, rows: { frames: frames.length } })
  const rows = await rowsOf(dataDir, 'frames', 'feed')
  t.same(
    rows.map(({ channel, frame }) => [channel, frame]),
    [
      ['btc@trade', frames[0]],
      ['7', frames[1]],
      [null, frames[2]],
      [null, frames[3]],
    ],
  )
})

t.test(
  'a frame of a described feed that DuckDB takes for no JSON goes to quarantine, and all others to the table',
  async t => {
    const dataDir = t.testdir()
    const frames = [
      '{"stream":"a"}',
      String.raw`{"stream":"b","name":"\ud800"}`,
      String.raw`{"stream":"\udc00"}`,
      '{"stream":"d"}',
    ]
    sealSegment(dataDir, 'frames.spot', rawLines(frames), { exchange: 'feed' })
    const outcome = await compactOnce(dataDir, { config: feedAt(dataDir, ['/stream']) })
    t.match(outcome, { segments: 1, failed: 0, rows: { frames: 2 }, quarantined: 2 })
    t.same(
      (await rowsOf(dataDir, 'frames', 'feed')).map(({ channel }) => channel),
      ['a', 'd'],
    )
  },
)

import t from 'tap'
import { configSchema } from '../../config/schema.js'
import { compactOnce, rowsOf } from './fixtures/compacted.js'
import { rawLines, sealSegment } from './fixtures/segments.js'

t.test('frames of a described feed have the channel that its config points to', async t => {
  const dataDir = t.testdir()
  const frames = ['{"stream":"btc@trade","d":1}', '{"e":{"c":7}}', '{"stream":{"no":"text"},"e":[]}', '["pong"]']
  sealSegment(dataDir, 'frames.spot', rawLines(frames), { exchange: 'feed' })
  const exchange = {
    name: 'feed',
    adapter: 'generic',
    url: 'ws://127.0.0.1:1',
    channelAt: ['/stream', '/e/c'],
  }
  const config = configSchema.parse({ dataDir, exchange })
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

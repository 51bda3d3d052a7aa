import t from 'tap'
import { groupPath, parseSegmentPath, segmentPath } from '../../formats/raw-path.js'
import { framePartitions } from '../../exchanges/channel-partition.js'
import { channelOfFrame } from '../../exchanges/deribit/frame-channel.js'
import { partitionOfChannel } from '../../exchanges/deribit/names.js'
import { findOpenSegments } from '../../recorder/storage/open-segments.js'
import { localDisk } from '../../platform/disk.js'
import { SegmentFinder } from '../../compactor/backlog.js'
import { numberedExchange, numberOf } from '../fixtures/numbered-exchange.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'
import { SEGMENT_NAME, writeOpenSegment } from '../fixtures/segments.js'

const channels: [channel: string, kind: string | undefined, currency?: string][] = [
  ['book.BTC-PERPETUAL.100ms', 'perpetual', 'BTC'],
  ['book.BTC-PERPETUAL.none.10.100ms', 'perpetual', 'BTC'],
  ['ticker.ETH-27NOV26-4000-C.100ms', 'option', 'ETH'],
  ['ticker.XRP_USDC-27NOV26-1d5-P.100ms', 'option', 'USDC'],
  ['trades.option.BTC.100ms', 'option', 'BTC'],
  ['trades.future.any.100ms', 'future', 'OTHER'],
  ['chart.trades.BTC-27NOV26.1', 'future', 'BTC'],
  ['quote.SOL_USDC', 'spot', 'USDC'],
  ['deribit_price_index.btc_usd', 'index', 'BTC'],
  ['markprice.options.eth_usd', 'index', 'ETH'],
  ['platform_state', undefined],
  ['instrument.state.option.BTC', 'option', 'BTC'],
  ['quote.../../etc/passwd', undefined],
  ['quote.constructor', undefined],
  ['trades.option./../x.100ms', 'option', 'OTHER'],
]

t.test('kind and currency of a channel', t => {
  for (const [channel, kind, currency] of channels) {
    const found = partitionOfChannel(channel)
    t.same(found, kind === undefined ? undefined : { kind, currency }, channel)
  }
  t.end()
})

t.test('an exchange that makes up currencies fills no disk with folders', t => {
  const partitionOf = framePartitions(channelOfFrame, partitionOfChannel)
  const frame = (n: number) =>
    Buffer.from(`{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.X${n}-PERPETUAL","data":{}}}`)
  const found = new Set(Array.from({ length: 5000 }, (_, n) => partitionOf(frame(n), 'quote')?.currency))
  t.equal(found.size, 101)
  t.ok(found.has('OTHER'))
  t.end()
})

t.test('names of grouped segments go both ways, and nothing else does', t => {
  const groups = [{}, { kind: 'option' }, { kind: 'option', currency: 'BTC' }]
  for (const group of groups) {
    const name = { ...SEGMENT_NAME, ...group }
    const path = segmentPath(name, 'sealed')
    t.ok(path.includes(`/${groupPath(name)}/date=`))
    t.same(parseSegmentPath(path), { name, state: 'sealed' })
  }
  const path = segmentPath({ ...SEGMENT_NAME, kind: 'option', currency: 'BTC' }, 'sealed')
  t.equal(parseSegmentPath(path.replace('kind=option', 'kind=..')), undefined)
  t.equal(parseSegmentPath(path.replace('kind=option/', '')), undefined)
  t.end()
})

t.test('grouped segments are found by recovery and by the compactor', async t => {
  const dataDir = t.testdir({})
  const path = writeOpenSegment(dataDir, 10, 10, 1, { kind: 'option', currency: 'BTC' })
  t.same(findOpenSegments(localDisk, dataDir, 'deribit', 'vps1'), [path])
  t.same(new SegmentFinder(dataDir).find(), [])
})

t.test('a recorder groups by family, kind and currency', async t => {
  const names = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'BTC-27NOV26-80000-C', 'SOL_USDC']
  const exchange = await numberedExchange({
    perSecond: 1000,
    channels: [...names.flatMap(name => [`quote.${name}`, `ticker.${name}.100ms`]), 'deribit_price_index.btc_usd'],
  })
  t.teardown(() => exchange.close())
  const segments = { flushMs: 100, fsyncMs: 100, groupBy: 'family+kind+currency', openFilesMax: 3 }
  const recorder = startRecorder(t, t.testdir({}), { url: exchange.url }, segments)
  await until('frames are recorded', () => framesTaken(recorder) > 2000)
  recorder.process.kill()
  t.equal((await recorder.process).exitCode, 0)
  const groups = new Set(rawFiles(recorder.dataDir).map(path => /channel=(.*)\/date=/.exec(path)?.[1]))
  for (const family of ['quote', 'ticker'])
    for (const group of [
      'kind=perpetual/currency=BTC',
      'kind=perpetual/currency=ETH',
      'kind=option/currency=BTC',
      'kind=spot/currency=USDC',
    ])
      t.ok(groups.has(`${family}/${group}`), `${family} ${group}`)
  t.ok(groups.has('deribit_price_index/kind=index/currency=BTC'))
  t.ok(groups.has('journal'), 'the journal has no kind')
  const lines = recordedLines(recorder.dataDir).filter(({ conn }) => conn === 'd1')
  t.same(
    lines.map(({ seq }) => seq).sort((one, other) => one - other),
    lines.map((_, index) => index + 1),
    'every frame once',
  )
  for (const { frame } of lines) numberOf(frame, 0)
  const found = new SegmentFinder(recorder.dataDir).find()
  t.equal(found.length, rawFiles(recorder.dataDir).length / 2, 'the compactor finds them all')
})

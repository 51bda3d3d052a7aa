import t from 'tap'
import { deribitConfig } from '../../../exchanges/deribit/config.js'
import { isInShard, shardPlan } from '../../../exchanges/deribit/shard.js'
import { matchAll } from '../../fixtures/match-all.js'

const NAMES = Array.from({ length: 4000 }, (_, index) => `BTC-25DEC26-${20_000 + index * 50}-${index % 2 ? 'C' : 'P'}`)
const PLAN = new Map(
  [
    ...NAMES.flatMap(name => [`quote.${name}`, `book.${name}.100ms`, `ticker.${name}.100ms`, `chart.trades.${name}.1`]),
    ...['trades.option.BTC.100ms', 'trades.future.BTC.100ms', 'trades.option.ETH.100ms', 'trades.spot.BTC.100ms'],
    ...[
      'deribit_price_index.btc_usd',
      'markprice.options.btc_usd',
      'markprice.options.eth_usd',
      'block_rfq.trades.BTC',
    ],
    ...['instrument.state.any.any', 'platform_state', 'platform_state.public_methods_state', 'announcements'],
  ].map(channel => [channel, 1] as const),
)
const NEWS = ['announcements', 'instrument.state.any.any', 'platform_state', 'platform_state.public_methods_state']
const shardsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => [...shardPlan(PLAN, { index, count }).keys()])

t.test('shards together are the plan; only news is in more than one', t => {
  for (const count of [1, 2, 3, 7]) {
    const shards = shardsOf(count)
    t.same(new Set(shards.flat()), new Set(PLAN.keys()), `${count} shards`)
    t.equal(shards.flat().length, PLAN.size + (count - 1) * NEWS.length)
    for (const shard of shards) t.same(shard.filter(channel => NEWS.includes(channel)).sort(), NEWS)
  }
  t.end()
})

t.test('an instrument stays whole, and shards are of one size', t => {
  const shards = shardsOf(4)
  for (const shard of shards) {
    const whole = new Set(shard)
    const split = NAMES.filter(name => whole.has(`quote.${name}`) !== whole.has(`chart.trades.${name}.1`))
    t.same(split, [])
    t.ok(shard.length > 3400 && shard.length < 4600, `${shard.length} of ${PLAN.size} channels`)
  }
  t.end()
})

t.test('one recorder more takes its share from the others, and moves nothing between them', t => {
  const ownerOf = (name: string, count: number) =>
    [...Array(count).keys()].findIndex(index => isInShard(name, { index, count }))
  const moved = NAMES.filter(name => ownerOf(name, 4) !== ownerOf(name, 5))
  t.ok(moved.length > 600 && moved.length < 1000, `${moved.length} of ${NAMES.length} move`)
  for (const name of moved) if (ownerOf(name, 5) !== 4) t.fail(`${name} moved to ${ownerOf(name, 5)}`)
  t.end()
})

t.test('the same on every machine and in every version', t => {
  const owners = ['BTC-PERPETUAL', 'ETH-PERPETUAL', 'btc_usd', 'trades.option.BTC.100ms', 'SOL_USDC-PERPETUAL'].map(
    name => [0, 1, 2].find(index => isInShard(name, { index, count: 3 })),
  )
  t.same(owners, [0, 1, 1, 2, 0])
  t.end()
})

t.test('an index beyond the count is refused', t => {
  const parse = (shard: unknown) => deribitConfig.safeParse({ name: 'deribit', shard })
  t.match(parse({ index: 1, count: 2 }), { success: true })
  matchAll(t, parse({ index: 2, count: 2 }).error?.issues, [
    { path: ['shard', 'index'], message: 'less than shard.count, which is 2' },
  ])
  t.end()
})

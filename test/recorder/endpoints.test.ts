import t from 'tap'
import { runPool } from '../fixtures/pool-run.js'
import { until } from '../fixtures/recorder-process.js'
import { scriptedExchange } from '../fixtures/scripted-exchange.js'

t.test('each channel is taken from the endpoint that carries it, on two connections of its own', async t => {
  const spot = await scriptedExchange([], () => undefined)
  const linear = await scriptedExchange([], () => undefined)
  t.teardown(() => Promise.all([spot.close(), linear.close()]))
  const channels = ['quote.BTC_USDC', 'quote.BTC-PERPETUAL', 'quote.ETH_USDC', 'quote.ETH-PERPETUAL']
  const isSpot = (channel: string) => channel.endsWith('_USDC')
  const later = {
    added: [] as string[],
    removed: [],
    plan: new Map([...channels, 'quote.SOL_USDC'].map(name => [name, 1])),
  }
  const news: (typeof later)[] = []
  const over = {
    discover: () =>
      Promise.resolve({ plan: new Map(channels.map(name => [name, 1])), added: [] as string[], removed: [] }),
    news: () => news.pop(),
    endpointOf: (channel: string) => (isSpot(channel) ? spot.url : linear.url),
  }
  const run = runPool(t, linear.url, over, 2)
  const subscribed = () => run.of('subscribed').flatMap(({ conn, channels }) => (channels as string[]).map(channel => ({ conn, channel }))) // prettier-ignore
  await until('all is subscribed twice', () => subscribed().length === 2 * channels.length)
  const urls = new Map(run.of('connected').map(({ conn, url }) => [conn, url]))
  t.same([...urls.keys()].sort(), ['d1', 'd2', 'd3', 'd4'])
  news.push(later)
  await until('what is new is subscribed on connections that are there', () => subscribed().length === 2 * 5)
  for (const { conn, channel } of subscribed())
    t.equal(urls.get(conn), isSpot(channel) ? spot.url : linear.url, `${channel} on ${String(conn)}`)
  t.equal(run.pool.connections.length, 4)
})

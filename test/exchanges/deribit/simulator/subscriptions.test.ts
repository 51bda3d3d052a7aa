import { createHmac } from 'node:crypto'
import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { sleep, TestClient, type Fields } from './client.js'

const credentials = [{ clientId: 'id', clientSecret: 'secret' }]
const simulator = await startSimulator({ instruments: 40, rate: 300, credentials, credits: false })
t.teardown(() => simulator.close())

async function connected(t: { teardown(run: () => void): void }): Promise<TestClient> {
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  return client
}

t.test('the ack has what was accepted, in another order; the rest is silently missing', async t => {
  const client = await connected(t)
  const asked = [
    'book.BTC-PERPETUAL.100ms',
    'quote.BTC-PERPETUAL',
    'ticker.ETH-PERPETUAL.agg2',
    'book.NO-SUCH.100ms',
    'book.BTC-PERPETUAL.50ms',
    'constructor.BTC-PERPETUAL.100ms',
    'nonsense',
    'chart.trades.BTC-PERPETUAL.7',
    'chart.trades.BTC-PERPETUAL.1D',
    'trades.option.any.100ms',
    'trades.nothing.any.100ms',
    'instrument.state.any.any',
    'deribit_price_index.no_such',
  ]
  const accepted = (await client.subscribe(...asked)) as string[]
  const good = [asked[0], asked[1], asked[2], asked[8], asked[9], asked[11]]
  t.strictSame([...accepted].sort(), [...good].sort())
  t.notSame(accepted, good)
  t.strictSame(await client.subscribe('nonsense'), [])
})

t.test('a snapshot comes once; after unsubscribe and subscribe there is a new one', async t => {
  const client = await connected(t)
  const channel = 'book.BTC-PERPETUAL.100ms'
  const snapshots = () => client.of(channel).filter(({ type }) => type === 'snapshot').length
  await client.subscribe(channel)
  await client.until(() => client.of(channel).length > 2)
  t.strictSame(await client.subscribe(channel), [channel], 'acked again')
  await sleep(150)
  t.equal(snapshots(), 1)
  const ended = await client.call('public/unsubscribe', { channels: [channel, 'quote.BTC-PERPETUAL'] })
  t.strictSame(ended.result, [channel], 'only what was really ended')
  const count = client.of(channel).length
  await sleep(250)
  t.equal(client.of(channel).length, count, 'silent afterwards')
  await client.subscribe(channel)
  await client.until(() => snapshots() === 2)
})

t.test('unsubscribe_all ends everything', async t => {
  const client = await connected(t)
  await client.subscribe('quote.BTC-PERPETUAL', 'ticker.BTC-PERPETUAL.100ms')
  t.equal((await client.call('public/unsubscribe_all')).result, 'ok')
  const count = client.notifications.length
  await sleep(200)
  t.equal(client.notifications.length, count)
})

t.test('one raw channel without login fails the whole call', async t => {
  const client = await connected(t)
  const channels = ['quote.BTC-PERPETUAL', 'book.BTC-PERPETUAL.raw']
  const refused = await client.call('public/subscribe', { channels })
  t.match(refused.error, { code: 13778, message: 'raw_subscriptions_not_available_for_unauthorized' })
  await sleep(150)
  t.equal(client.notifications.length, 0, 'the valid channel neither')

  const login = { grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' }
  const answer = (await client.call('public/auth', login)).result as Fields
  t.match(answer, { token_type: 'bearer', expires_in: Number, access_token: String, refresh_token: String })
  t.equal(((await client.call('public/subscribe', { channels })).result as string[]).length, 2)
  t.equal(((await client.call('private/subscribe', { channels })).result as string[]).length, 2)
})

t.test('the other ways to log in', async t => {
  const client = await connected(t)
  const timestamp = Date.now()
  const signed = (secret: string) => ({
    grant_type: 'client_signature',
    client_id: 'id',
    timestamp,
    nonce: 'n',
    data: '',
    signature: createHmac('sha256', secret).update(`${timestamp}\nn\n`).digest('hex'),
  })
  t.equal((await client.call('public/auth', signed('wrong'))).error?.code, 13004)
  const first = (await client.call('public/auth', signed('secret'))).result as Fields
  const refresh = { grant_type: 'refresh_token', refresh_token: first['refresh_token'] ?? '' }
  t.ok((await client.call('public/auth', refresh)).result)
  t.equal((await client.call('public/auth', refresh)).error?.code, -32602, 'a refresh token works once')
})

t.test('a login belongs to its connection', async t => {
  const first = await connected(t)
  await first.call('public/auth', { grant_type: 'client_credentials', client_id: 'id', client_secret: 'secret' })
  const second = await connected(t)
  const answer = await second.call('public/subscribe', { channels: ['trades.BTC-PERPETUAL.raw'] })
  t.equal(answer.error?.code, 13778)
})

t.test('compression only where the client offers it', async t => {
  const plain = await TestClient.connect(simulator.url)
  const offering = await TestClient.connect(simulator.url, { perMessageDeflate: true })
  t.equal(plain.socket.extensions, '')
  t.equal(offering.socket.extensions, 'permessage-deflate')
  await offering.subscribe('book.BTC-PERPETUAL.100ms')
  t.match(await offering.until(() => offering.of('book.BTC-PERPETUAL.100ms')[0]), { type: 'snapshot' })
  plain.close()
  offering.close()
})

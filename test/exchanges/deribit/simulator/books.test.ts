import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, type Fields } from './client.js'
import { marketState, RebuiltBook } from './rebuild.js'

const simulator = await startSimulator({ instruments: 60, rate: 1_500, rawForAll: true, credits: false })
const { market } = simulator
t.teardown(() => simulator.close())

/** A listing whose kind it is; the market always has some. */
function pick(kind: string): string {
  const best = [...market.listings.values()].filter(({ instrument }) => instrument.kind === kind)
  best.sort((a, b) => b.weight - a.weight)
  return best[0]?.name ?? ''
}

t.test('every interval chains by itself, and all of them rebuild to the market book', async t => {
  const names = ['BTC-PERPETUAL', 'ETH_USDC-PERPETUAL', 'BTC_USDC', pick('option'), pick('future_combo')]
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  await client.subscribe(...names.map(name => `book.${name}.raw`))
  await client.subscribe(...names.flatMap(name => [`book.${name}.100ms`, `book.${name}.agg2`]))
  await client.until(() => client.of('book.BTC-PERPETUAL.agg2').length >= 4)
  // Nothing happens between here and the comparison but the arrival of what was sent.
  const truth = new Map(names.map(name => [name, market.find(name)]))
  const frozen = names.map(name => ({ name, id: truth.get(name)?.book.changeId ?? 0 }))
  const states = new Map([...truth].map(([name, listing]) => [name, listing ? marketState(listing) : '']))
  await client.until(() =>
    frozen.every(({ name, id }) => id === 0 || client.of(`book.${name}.raw`).some(frame => frame['change_id'] === id)),
  )
  for (const { name, id } of frozen) {
    const raw = new RebuiltBook()
    const byId = new Map<number, string>()
    for (const frame of client.of(`book.${name}.raw`)) {
      raw.apply(frame)
      byId.set(raw.changeId, String(raw))
    }
    t.equal(byId.get(id), states.get(name), `${name}: raw frames rebuild the market's book`)
    t.strictSame([raw.breaks, raw.wrongActions], [0, 0], `${name}: raw chain`)
    for (const interval of ['100ms', 'agg2']) {
      const book = new RebuiltBook()
      for (const frame of client.of(`book.${name}.${interval}`)) {
        book.apply(frame)
        const expected = byId.get(book.changeId)
        if (expected !== undefined && expected !== String(book))
          t.fail(`${name}.${interval} differs at ${book.changeId}`)
      }
      t.strictSame([book.breaks, book.wrongActions], [0, 0], `${name}.${interval}: chain`)
    }
  }
  const count = (channel: string) => client.of(channel).length
  t.ok(count('book.BTC-PERPETUAL.raw') > count('book.BTC-PERPETUAL.100ms'), '100ms skips ids')
  t.ok(count('book.BTC-PERPETUAL.100ms') > count('book.BTC-PERPETUAL.agg2'), 'agg2 skips more')
})

t.test('frames look as they should', async t => {
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  const channel = 'book.BTC-PERPETUAL.100ms'
  await client.subscribe(channel)
  await client.until(() => client.of(channel).length > 15)
  const [snapshot, ...changes] = client.of(channel)
  t.equal(snapshot?.['type'], 'snapshot', 'the snapshot is the first frame')
  const bids = snapshot?.['bids'] as [string, number, number][]
  t.ok(bids.length > 20 && bids.every(([action]) => action === 'new'))
  t.strictSame(
    bids,
    [...bids].sort(([, a], [, b]) => b - a),
    'best first',
  )
  const actions = new Set<string>()
  const steps: number[] = []
  const odd: unknown[] = []
  for (const change of changes) {
    const levels = [...(change['bids'] as Fields[][]), ...(change['asks'] as Fields[][])] as unknown as [
      string,
      number,
      number,
    ][]
    if (levels.length === 0) odd.push(change)
    for (const level of levels) {
      const [action, , amount] = level
      actions.add(action)
      if ((action === 'delete') !== (amount === 0)) odd.push(level)
    }
    steps.push(Number(change['change_id']) - Number(change['prev_change_id']))
  }
  t.same(odd, [], 'never both sides empty, and no amount where, and only where, a level is deleted')
  t.strictSame([...actions].sort(), ['change', 'delete', 'new'])
  t.ok(
    steps.some(step => step > 1),
    'ids jump',
  )
})

t.test('a second subscriber does not break the chain of the first', async t => {
  const first = await TestClient.connect(simulator.url)
  const channel = 'book.ETH-PERPETUAL.agg2'
  await first.subscribe(channel)
  for (let newcomer = 0; newcomer < 5; newcomer++) {
    const second = await TestClient.connect(simulator.url)
    await second.subscribe(channel)
    await second.until(() => second.of(channel).length >= 2)
    const book = new RebuiltBook()
    for (const frame of second.of(channel)) book.apply(frame)
    t.equal(book.breaks, 0)
    second.close()
  }
  const book = new RebuiltBook()
  for (const frame of first.of(channel)) book.apply(frame)
  t.equal(book.breaks, 0)
  first.close()
})

t.test('a grouped book is always the whole window', async t => {
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  const [fine, coarse] = ['book.BTC-PERPETUAL.none.10.100ms', 'book.BTC-PERPETUAL.5.1.100ms']
  await client.subscribe(fine, coarse)
  await client.until(() => client.of(fine).length > 3 && client.of(coarse).length > 3)
  for (const frame of client.of(fine)) {
    t.notOk('type' in frame || 'prev_change_id' in frame)
    t.ok((frame['bids'] as Fields[]).length <= 10)
  }
  const [price] = (client.of(coarse)[0]?.['bids'] as number[][])[0] ?? []
  t.equal((price ?? 1) % 5, 0, 'prices are multiples of the group')
})

t.test('quote, ticker and REST book agree with the book', async t => {
  for (const name of ['BTC-PERPETUAL', 'BTC_USDC', pick('option')]) {
    const [book, ticker] = (await Promise.all([
      get(simulator.httpUrl, 'get_order_book', { instrument_name: name, depth: 10_000 }),
      get(simulator.httpUrl, 'ticker', { instrument_name: name }),
    ])) as [Fields, Fields]
    const best = (side: string) => (book[side] as number[][])[0] ?? [0, 0]
    t.strictSame([book['best_bid_price'], book['best_bid_amount']], best('bids'), name)
    t.strictSame([book['best_ask_price'], book['best_ask_amount']], best('asks'), name)
    t.equal(ticker['instrument_name'], name)
  }
  const client = await TestClient.connect(simulator.url)
  t.teardown(() => client.close())
  // In this order of subscribing, a book frame comes before the quote that it caused.
  await client.subscribe('book.BTC-PERPETUAL.raw', 'quote.BTC-PERPETUAL')
  await client.until(() => client.of('quote.BTC-PERPETUAL').length > 30)
  const book = new RebuiltBook()
  let compared = 0
  for (const { channel, data } of client.notifications) {
    const frame = data as Fields
    if (channel.startsWith('book')) book.apply(frame)
    else if (book.bids.size > 0) {
      compared++
      t.equal(frame['best_bid_price'], Math.max(...book.bids.keys()))
      t.equal(frame['best_ask_price'], Math.min(...book.asks.keys()))
    }
  }
  t.ok(compared > 10)
})

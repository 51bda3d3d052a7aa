import t from 'tap'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, text, type Fields } from './client.js'

// They mostly wait.
t.jobs = 3

t.test('08:00 UTC on a fast clock, as a client sees it', async t => {
  // Ten simulated seconds a second, forty before the hour: time to subscribe on a busy machine.
  const startMs = Date.UTC(2026, 10, 24, 7, 59, 20)
  const simulator = await startSimulator({ instruments: 80, rate: 200, startMs, speed: 10, credits: false })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  const expiring = [...simulator.market.listings.values()].filter(
    ({ instrument }) => instrument.expiryMs === Date.UTC(2026, 10, 24, 8),
  )
  const option = expiring.find(({ instrument, book }) => instrument.kind === 'option' && book.asks.length > 0)
  const name = option?.name ?? ''
  const channels = [`ticker.${name}.100ms`, `book.${name}.100ms`]
  await client.subscribe(...channels, 'instrument.state.any.any', 'instrument.creation.any.any')

  const states = () => client.of('instrument.state.any.any').filter(news => news['instrument_name'] === name)
  await client.until(() => states().some(({ state }) => state === 'delivered'), 20_000)
  t.strictSame(
    states().map(({ state }) => state),
    ['settlement', 'delivered'],
  )
  await client.until(() => client.of(channels[0] ?? '').some(ticker => ticker['state'] === 'delivered'))
  const last = client.of(channels[0] ?? '').at(-1)
  t.match(last, { estimated_delivery_price: 'expired', delivery_price: Number, best_ask_price: 0 })
  const cleared = (book: Fields | undefined) => (book?.['asks'] as [string][]).every(([action]) => action === 'delete')
  t.ok(await client.until(() => cleared(client.of(channels[1] ?? '').at(-1))), 'the book is cleared')

  t.strictSame(await client.subscribe(`quote.${name}`), [], 'a closed instrument cannot be subscribed')
  const byExpired = async (expired: string) => {
    const list = (await get(simulator.httpUrl, 'get_instruments', { currency: 'any', expired })) as Fields[]
    return list.find(row => row['instrument_name'] === name)
  }
  t.equal(await byExpired('false'), undefined)
  t.match(await byExpired('true'), { state: /delivered|archivized/, is_active: false })
  t.match(await get(simulator.httpUrl, 'ticker', { instrument_name: name }), { estimated_delivery_price: 'expired' })

  const born = await client.until(() => client.of('instrument.creation.any.any')[0], 60_000)
  t.match(born, { timestamp: Number, instrument_name: String, kind: String, is_active: true, state: 'open' })
  const bornName = text(born['instrument_name'])
  t.strictSame(await client.subscribe(`book.${bornName}.100ms`), [`book.${bornName}.100ms`])
  t.ok(
    client
      .of('instrument.state.any.any')
      .some(news => news['instrument_name'] === bornName && news['state'] === 'open'),
  )
})

t.test('created and expired by a control call', async t => {
  const simulator = await startSimulator({ instruments: 40, rate: 200 })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  await client.subscribe('instrument.creation.any.any', 'instrument.state.option.any')
  const order = async (body: object) => {
    const url = simulator.httpUrl.replace('/api/v2', '/control/instrument')
    return (await (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json()) as Fields
  }
  const created = await order({ action: 'create' })
  const news = await client.until(() => client.of('instrument.creation.any.any')[0])
  t.equal(news['instrument_name'], created['instrument_name'])
  await order({ action: 'expire', instrument_name: created['instrument_name'] })
  await client.until(() => client.of('instrument.state.option.any').some(({ state }) => state === 'delivered'))
})

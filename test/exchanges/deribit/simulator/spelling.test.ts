import t from 'tap'
import { encode } from '../../../../exchanges/deribit/simulator/json-text.js'
import { spellFloat, type Spelling } from '../../../../exchanges/deribit/simulator/number-spelling.js'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { TestClient } from './client.js'

t.test('the spellings of the wire', t => {
  const cases: [number, Spelling, string][] = [
    [2000, 'short', '2.0e3'],
    [85_500, 'short', '8.55e4'],
    [1_000_200, 'short', '1.0002e6'],
    [3_000_000, 'short', '3.0e6'],
    [36_125, 'short', '36125.0'],
    [10, 'plain', '10.0'],
    [10, 'whole', '10'],
    [0, 'short', '0.0'],
    [0.00006563, 'short', '6.563e-5'],
    [0.00006563, 'plain', '0.00006563'],
    [1e-7, 'plain', '1.0e-7'],
    [-2.1714e-4, 'short', '-2.1714e-4'],
    [0.5, 'short', '0.5'],
    [1e21, 'plain', '1.0e21'],
  ]
  for (const [value, spelling, text] of cases) t.equal(spellFloat(value, spelling), text)
  t.end()
})

t.test('every spelling parses back to the value', t => {
  const wrong: string[] = []
  for (let step = 0; step < 20_000; step++) {
    const value = (step % 2 ? -1 : 1) * (step * 7919.25) ** ((step % 9) - 3)
    if (!Number.isFinite(value)) continue
    for (const spelling of ['plain', 'short', 'whole'] as const) {
      const text = spellFloat(value, spelling)
      if (Number(text) !== value || !Object.is(JSON.parse(text), value)) wrong.push(`${value} became ${text}`)
    }
  }
  t.same(wrong, [])
  t.end()
})

t.test('whole numbers stay whole, bigints keep their digits', t => {
  const row = { timestamp: 1_789_000_000_000, price: 2000, id: 227_538_549_002_481_667n, none: null, list: [1n, 2] }
  t.equal(
    encode(row, 'short'),
    '{"timestamp":1789000000000,"price":2.0e3,"id":227538549002481667,"none":null,"list":[1,2.0]}',
  )
  t.end()
})

t.test('one field changes its spelling from frame to frame', async t => {
  const simulator = await startSimulator({ instruments: 0, rate: 2_000 })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  await client.subscribe('book.BTC-PERPETUAL.100ms')
  const seen = { exponent: /,\d\.\d+e\d\]/, fraction: /,\d+\.0\]/, bare: /,\d+\]/ }
  for (const [name, pattern] of Object.entries(seen)) {
    t.ok(await client.until(() => client.notifications.some(({ text }) => pattern.test(text))), name)
  }
})

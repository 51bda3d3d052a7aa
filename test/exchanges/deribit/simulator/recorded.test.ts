import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../../../platform/package-info.js'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { get, TestClient, type Fields } from './client.js'

const session = join(packageRoot, '../shared/deribit/frames/sessions/cryptofeed-2021-07-22.jsonl')
const skip = existsSync(session) ? false : `no recorded session at ${session}`

interface Line {
  dir: string
  raw: string
}

t.test('a session is sent verbatim and in order after the first subscribe call', { skip }, async t => {
  const lines = readFileSync(session, 'utf8').trimEnd().split('\n')
  const inbound = lines.map(line => JSON.parse(line) as Line).filter(({ dir }) => dir === 'in')
  const simulator = await startSimulator({ recorded: session, speed: 0 })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  const login = { grant_type: 'client_credentials', client_id: 'any', client_secret: 'one' }
  t.ok((await client.call('public/auth', login)).result, 'any login succeeds')
  const instruments = (await get(simulator.httpUrl, 'get_instruments', { currency: 'any' })) as Fields[]
  t.match(
    instruments.find(row => row['instrument_name'] === 'BTC-24SEP21-8000-P'),
    {
      kind: 'option',
      strike: 8000,
      option_type: 'put',
      expiration_timestamp: Date.UTC(2021, 8, 24, 8),
      is_active: true,
    },
  )
  const before = client.texts.length
  const wanted = ['book.BTC-24SEP21-8000-P.raw', 'trades.BTC-24SEP21-8000-P.raw']
  const accepted = (await client.subscribe(...wanted, 'book.NO-SUCH.raw')) as string[]
  t.strictSame([...accepted].sort(), [...wanted].sort())
  await simulator.finished
  await client.until(() => client.texts.length === before + 1 + inbound.length)
  t.strictSame(
    client.texts.slice(before + 1),
    inbound.map(({ raw }) => raw),
  )
  t.equal(simulator.framesMade(), inbound.length)
})

t.test('recorded distances are kept, scaled by speed', async t => {
  const line = (at: number, n: number) => JSON.stringify({ t: at, dir: 'in', raw: `{"n":${n}}` })
  const folder = t.testdir({ 's.jsonl': [line(100, 1), line(102, 2), line(104, 3)].join('\n') + '\n' })
  const simulator = await startSimulator({ recorded: join(folder, 's.jsonl'), speed: 10 })
  const client = await TestClient.connect(simulator.url)
  t.teardown(async () => {
    client.close()
    await simulator.close()
  })
  await client.subscribe('platform_state')
  const startedMs = performance.now()
  await simulator.finished
  const tookMs = performance.now() - startedMs
  t.ok(tookMs > 350 && tookMs < 3_500, `4 s at tenfold speed took ${Math.round(tookMs)} ms`)
})

t.test('a file of bare frames; odd bytes and numbers beyond 2^53 survive', async t => {
  const frames = Array.from(
    { length: 3_000 },
    (_, n) => `{"x":"é ${n}","id":22753854900248${1_000_000 + n},  "y":2.0e3}`,
  )
  const folder = t.testdir({ 'f.jsonl': frames.join('\n') })
  const simulator = await startSimulator({ recorded: join(folder, 'f.jsonl'), speed: 0 })
  t.teardown(() => simulator.close())
  const client = await TestClient.connect(simulator.url)
  await client.subscribe('platform_state')
  await simulator.finished
  const received = await client.until(() => {
    const got = client.texts.filter(text => text.startsWith('{"x"'))
    return got.length === frames.length && got
  })
  t.strictSame(received, frames)
  client.close()
})

t.test('where a connection ends before its time, the next to subscribe gets the rest', async t => {
  const line = (n: number) => JSON.stringify({ t: 100 + n, dir: 'in', raw: `{"n":${n}}` })
  const folder = t.testdir({ 's.jsonl': Array.from({ length: 20 }, (_, n) => line(n)).join('\n') })
  const simulator = await startSimulator({ recorded: join(folder, 's.jsonl'), speed: 20 })
  t.teardown(() => simulator.close())
  const numbers = (client: TestClient) => client.texts.filter(text => text.startsWith('{"n"'))
  const first = await TestClient.connect(simulator.url)
  await first.subscribe('platform_state')
  await first.until(() => numbers(first).length >= 5)
  first.close()
  await first.until(() => simulator.connections() === 0)
  const second = await TestClient.connect(simulator.url)
  await second.subscribe('platform_state')
  await simulator.finished
  await second.until(() => numbers(second).at(-1) === '{"n":19}')
  const both = [...numbers(first), ...numbers(second)]
  t.equal(new Set(both).size, both.length, 'nothing twice')
  t.equal(both.length, 20, 'nothing lost')
  second.close()
})

t.test('an empty recording is refused with a reason', async t => {
  const folder = t.testdir({ 'empty.jsonl': '' })
  await t.rejects(startSimulator({ recorded: join(folder, 'empty.jsonl') }), { code: 'RECORDING_EMPTY' })
  await t.rejects(startSimulator({ recorded: join(folder, 'none.jsonl') }), { code: 'RECORDING_UNREADABLE' })
})

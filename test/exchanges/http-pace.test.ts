// Puts back what it changes of the process.
/** Methods over HTTP, of each exchange: never faster than allowed, patient when told so, and each answer kept under its name. */
import assert from 'node:assert/strict'
import t from 'tap'
import { BybitHttp, RefusedError as BybitRefused } from '../../exchanges/bybit/http.js'
import { HttpRpc } from '../../exchanges/deribit/http-rpc.js'
import { createCreditPools } from '../../exchanges/deribit/rpc.js'
import { OkxHttp } from '../../exchanges/okx/http.js'
import { movedTime, type Pass } from '../fixtures/moved-time.js'

const never = new AbortController().signal

interface Asked {
  atMs: number
  url: URL
  body: string | undefined
  headers: Record<string, string>
}

/** An HTTP server that is none: answers as it is told. */
async function answering(
  answer: (asked: Asked, nth: number) => { status?: number; text: string },
  run: (asked: Asked[], pass: Pass) => Promise<void>,
) {
  const { fetch } = globalThis
  await movedTime(async pass => {
    const asked: Asked[] = []
    globalThis.fetch = (url, { body, headers } = {}) => {
      const one: Asked = {
        atMs: performance.now(),
        url: new URL(url instanceof Request ? url.url : url),
        body: body as string | undefined,
        headers: { ...(headers as Record<string, string>) },
      }
      asked.push(one)
      const { status = 200, text } = answer(one, asked.length)
      return Promise.resolve(new Response(text, { status }))
    }
    try {
      await run(asked, pass)
    } finally {
      globalThis.fetch = fetch
    }
  })
}

/** No more than so many questions in any such time. */
function isPaced(asked: readonly Asked[], most: number, withinMs: number): void {
  for (const [at, { atMs }] of asked.entries()) {
    const within = asked.slice(at).filter(other => other.atMs < atMs + withinMs).length
    assert.ok(within <= most, `${within} in ${withinMs} ms from ${atMs} on, at most ${most}`)
  }
}

const settledAll = (works: readonly Promise<unknown>[]) =>
  Promise.all(works.map(work => work.catch((error: unknown) => error)))

t.test('however many ask at once, each is answered, in order, and not faster than the exchange allows', async t => {
  await answering(
    () => ({ text: '{"retCode":0,"retMsg":"OK","result":{"list":[1]},"code":"0","data":[{"a":1}],"msg":""}' }),
    async (asked, pass) => {
      const bybit = new BybitHttp('http://bybit.test', 5)
      const works = Array.from({ length: 60 }, (_, at) => bybit.get('/v5/market/time', { at, text: 'a&b=ü' }, never))
      await pass(15_000)
      await settledAll(works)
      t.equal(asked.length, 60)
      t.same(
        asked.map(({ url }) => Number(url.searchParams.get('at'))),
        Array.from({ length: 60 }, (_, at) => at),
      )
      t.equal(asked[0]?.url.searchParams.get('text'), 'a&b=ü')
      isPaced(asked, 5 + 5, 1000)
      isPaced(asked, 5 + 50, 10_000)
      asked.length = 0
      const okx = new OkxHttp({ url: 'wss://ws.okx.com:8443/ws/v5/public' })
      const rows = Array.from({ length: 100 }, () =>
        okx.rows(
          'public/time',
          { instId: 'A' },
          () => undefined,
          () => 'x',
          never,
        ),
      )
      await pass(15_000)
      t.ok((await Promise.all(rows)).every(one => one.length === 1))
      t.equal(asked.length, 100)
      t.ok(asked.every(({ url }) => url.href === 'https://www.okx.com/api/v5/public/time?instId=A'))
      isPaced(asked, 16 + 16, 2000)
    },
  )
  await answering(
    ({ body = '' }) => ({
      text: JSON.stringify({ jsonrpc: '2.0', id: (JSON.parse(body) as { id: string }).id, result: [] }),
    }),
    async (asked, pass) => {
      const rpc = new HttpRpc('wss://www.deribit.com/ws/api/v2?x=1', createCreditPools())
      const call = (method: string) => rpc.call('x', { id: `id ${method}`, method, params: {} }, () => undefined, never)
      const works = Array.from({ length: 200 }, () => call('public/get_time'))
      await pass(10_000)
      await Promise.all(works)
      isPaced(asked, 80 + 16, 1000)
      t.equal(asked.length, 200)
      t.ok(asked.every(({ url }) => url.href === 'https://www.deribit.com/api/v2/public/get_time'))
      asked.length = 0
      const lists = Array.from({ length: 60 }, () => call('public/get_instruments'))
      await pass(60_000)
      await Promise.all(lists)
      isPaced(asked, 40 + 8, 10_000)
    },
  )
})

t.test('Bybit: who is told to keep away asks nothing for ten minutes, whatever is due', async t => {
  await answering(
    (_asked, nth) => (nth === 2 ? { status: 403, text: 'Forbidden' } : { text: '{"retCode":0,"result":{}}' }),
    async (asked, pass) => {
      const http = new BybitHttp('http://bybit.test', 50)
      const get = () => http.get('/v5/market/time', {}, never)
      await Promise.all([get(), pass(100)])
      const banned = get()
      await Promise.all([t.rejects(banned, { code: 'HTTP_CALL_FAILED', message: /HTTP 403/ }), pass(100)])
      const late = [get(), get()]
      await pass(590_000, 1000)
      t.equal(asked.length, 2)
      await pass(12_000, 1000)
      await Promise.all(late)
      t.equal(asked.length, 4)
    },
  )
})

t.test('refusals of each exchange: what passes, what is final, what is no answer at all', async t => {
  const table = [
    [
      '{"retCode":10006,"retMsg":"Too many visits!"}',
      { code: 'CALL_REFUSED', retCode: 10006, isPassing: true, retry: true },
    ],
    [
      '{"retCode":10001,"retMsg":"params error"}',
      { code: 'CALL_REFUSED', retCode: 10001, isPassing: false, retry: false },
    ],
    ['{"retCode":"0"}', { code: 'HTTP_CALL_FAILED', retry: true }],
    ['{}', { code: 'HTTP_CALL_FAILED' }],
    ['<html>', { code: 'HTTP_CALL_FAILED' }],
    ['', { code: 'HTTP_CALL_FAILED' }],
  ] as const
  for (const [text, expected] of table)
    await answering(
      () => ({ text }),
      async (_asked, pass) => {
        const asked = new BybitHttp('http://bybit.test', 50)
          .get('/v5/market/time', {}, never)
          .catch((error: unknown) => error)
        await pass(10)
        const error = await asked
        t.match(error, expected, text)
        t.equal(error instanceof BybitRefused, expected.code === 'CALL_REFUSED')
      },
    )
})

t.test('an answer is handed over before it is judged: what was refused is kept, under another family', async t => {
  const okxTable = [
    ['{"code":"0","msg":"","data":[{"a":1}]}', 'family of 1', undefined],
    ['{"code":"0","msg":"","data":[]}', 'family of 0', undefined],
    ['{"code":"51001","msg":"no such instrument","data":[]}', 'control', 'RPC_REFUSED'],
    ['{"code":"0","msg":""}', 'control', 'HTTP_CALL_FAILED'],
    ['{"data":[]}', 'control', 'HTTP_CALL_FAILED'],
    ['oops', 'control', 'HTTP_CALL_FAILED'],
  ] as const
  for (const [text, family, code] of okxTable)
    await answering(
      () => ({ text }),
      async (asked, pass) => {
        const taken: string[] = []
        const http = new OkxHttp({ url: 'wss://wspap.okx.com:8443/ws/v5/public' })
        const work = http
          .rows(
            'market/trades',
            {},
            (name, bytes) => void taken.push(`${name} ${bytes.toString()}`),
            rows => `family of ${rows.length}`,
            never,
          )
          .catch((error: unknown) => error as { code: string })
        await pass(10)
        const outcome = await work
        t.same(taken, [`${family} ${text}`])
        t.equal('code' in outcome ? outcome.code : undefined, code, text)
        t.equal(asked[0]?.headers['x-simulated-trading'], '1', 'the system for demo trading is told apart by this')
      },
    )
  const deribitTable = [
    ['{"jsonrpc":"2.0","id":"x","result":[]}', 'trades', undefined],
    ['{"jsonrpc":"2.0","id":"x","result":null}', 'trades', undefined],
    ['{"jsonrpc":"2.0","id":"x","result":[],"error":null}', 'trades', undefined],
    ['{"jsonrpc":"2.0","id":"x","error":{"code":13020,"message":"not_found"}}', 'rpc', 'RPC_REFUSED'],
    ['{"jsonrpc":"2.0","id":"x","result":[],"error":{"code":1,"message":"both"}}', 'rpc', 'RPC_REFUSED'],
    ['{"jsonrpc":"2.0","id":"x"}', 'rpc', 'HTTP_CALL_FAILED'],
    ['{"error":"text"}', 'rpc', 'HTTP_CALL_FAILED'],
  ] as const
  for (const [text, family, code] of deribitTable)
    await answering(
      () => ({ text }),
      async (_asked, pass) => {
        const taken: string[] = []
        const rpc = new HttpRpc('ws://deribit.test/ws/api/v2', createCreditPools())
        const call = { id: 'x', method: 'public/get_time', params: {} }
        const work = rpc
          .call('trades', call, name => void taken.push(name), never)
          .then(
            () => undefined,
            (error: unknown) => (error as { code: string }).code,
          )
        await pass(10)
        t.equal(await work, code, text)
        t.same(taken, [family], text)
      },
    )
})

/** Answers over HTTP, whoever gives them: whole, cut, odd, too long, too late, and none. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSocketServer, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { httpBody } from '../../exchanges/http-body.js'

type Answer = (response: ServerResponse, request: IncomingMessage, body: string) => void

async function answering(t: Test, answer: Answer): Promise<URL> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(response, request, Buffer.concat(chunks).toString()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v5/public/time?secret=1`)
}

const never = new AbortController().signal

t.test(
  'a question with a body is posted as JSON, one without is asked by GET, and what came is given as it came',
  async t => {
    const url = await answering(t, (response, { method, headers }, body) =>
      response.end(JSON.stringify({ method, type: headers['content-type'], own: headers['x-own'], body })),
    )
    const asked = async (body?: string) => {
      const bytes = await httpBody({ url, headers: { 'x-own': 'yes' }, ...(body !== undefined && { body }) }, never)
      return JSON.parse(bytes.toString()) as object
    }
    t.same(await asked('{"id":1}'), { method: 'POST', type: 'application/json', own: 'yes', body: '{"id":1}' })
    t.same(await asked(), { method: 'GET', own: 'yes', body: '' })
  },
)

t.test('bytes that are no text stay as they are', async t => {
  const bytes = Buffer.from([0x7b, 0xff, 0x00, 0xc3, 0x28, 0x7d])
  const url = await answering(t, response => response.end(bytes))
  t.same(await httpBody({ url }, never), bytes)
})

t.test('what the exchange says of an error is more than its status; what a proxy says is not', async t => {
  const table: readonly (readonly [status: number, body: string, expected: string | RegExp])[] = [
    [200, '{"result":1}', '{"result":1}'],
    [200, '', ''],
    [400, '{"error":{"code":-32602}}', '{"error":{"code":-32602}}'],
    [500, '{"retCode":10016}', '{"retCode":10016}'],
    [429, 'slow down', /HTTP 429/],
    [403, '<html>blocked in your country</html>', /HTTP 403/],
    [503, '', /HTTP 503/],
    [502, '["list"]', /HTTP 502/],
  ]
  for (const [status, body, expected] of table) {
    const url = await answering(t, response => response.writeHead(status).end(body))
    const asked = httpBody({ url }, never)
    if (typeof expected === 'string') t.equal((await asked).toString(), expected, `${status} ${body}`)
    else await t.rejects(asked, { code: 'HTTP_CALL_FAILED', retry: true, message: expected }, `${status} ${body}`)
  }
})

t.test('a failure names where it was asked, and no query, which may hold what nobody is to read', async t => {
  const url = await answering(t, response => response.writeHead(500).end())
  const error = await httpBody({ url }, never).catch((error: unknown) => error as Error)
  t.match(error, { message: `no answer from ${url.origin}/api/v5/public/time: HTTP 500` })
  t.notMatch((error as Error).message, 'secret')
})

t.test('an answer from elsewhere is none: whoever redirects is not followed', async t => {
  const other = await answering(t, response => response.end('{"from":"elsewhere"}'))
  const url = await answering(t, response => response.writeHead(302, { location: other.href }).end())
  await t.rejects(httpBody({ url }, never), { code: 'HTTP_CALL_FAILED' })
})

t.test('an answer that is cut off is none', async t => {
  const url = await answering(t, response => {
    response.writeHead(200, { 'content-length': 1000 })
    response.write('{"result":')
    setImmediate(() => response.destroy())
  })
  await t.rejects(httpBody({ url }, never), { code: 'HTTP_CALL_FAILED', retry: true })
})

t.test('what is no HTTP, and a port where nobody listens, are told with the reason', async t => {
  const sockets = new Set<Socket>()
  const server = createSocketServer(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.end('SSH-2.0-OpenSSH_9.6\r\n')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await t.rejects(httpBody({ url: new URL(`http://127.0.0.1:${port}/`) }, never), { code: 'HTTP_CALL_FAILED' })
  for (const socket of sockets) socket.destroy()
  server.close()
  await once(server, 'close')
  const refused = await httpBody({ url: new URL(`http://127.0.0.1:${port}/`) }, never).catch((error: unknown) => error)
  t.match(refused, { code: 'HTTP_CALL_FAILED', message: /ECONNREFUSED/ }, 'not only that fetch failed')
})

t.test('whoever ends need not wait for an answer', async t => {
  const end = new AbortController()
  const url = await answering(t, () => end.abort())
  await t.rejects(httpBody({ url }, end.signal), { code: 'HTTP_CALL_FAILED' })
  await t.rejects(httpBody({ url }, AbortSignal.abort()), { code: 'HTTP_CALL_FAILED' })
})

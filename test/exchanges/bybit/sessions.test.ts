import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { WebSocketServer } from '../../../platform/web-socket.js'
import { bybit } from '../../../exchanges/bybit/main.js'
import { channelOf, familyOfChannel, symbolOf } from '../../../exchanges/bybit/names.js'
import { packageRoot } from '../../../platform/package-info.js'
import { needsFrames, sessionsOf, type ExchangeLine } from '../../fixtures/exchange-frames.js'
import { framesTaken, recordedLines, startRecorder, until } from '../../fixtures/recorder-process.js'
import { sealLeft } from '../../fixtures/segments.js'
import { bybitRows, rowsOfFrame, sameRows, type Json } from './fixtures/expected-rows.js'

type Category = 'linear' | 'spot'

/** What one connection of a session received, by its category. */
function receivedIn(lines: readonly ExchangeLine[]): Map<Category, string[]> {
  const categories = new Map<string | undefined, Category>()
  const received = new Map<Category, string[]>()
  for (const { dir, conn, raw } of lines) {
    if (dir === 'open') categories.set(conn, raw.endsWith('/spot') ? 'spot' : 'linear')
    const category = categories.get(conn)
    if (dir !== 'in' || !category) continue
    const own = received.get(category) ?? []
    received.set(category, own)
    own.push(raw)
  }
  return received
}

/** A server that sends what was received once it is asked for anything, and lists the symbols that were in it. */
async function player(t: Test, received: ReadonlyMap<Category, string[]>) {
  const symbols = (category: Category) => [
    ...new Set(
      (received.get(category) ?? []).flatMap(raw => {
        const { topic } = JSON.parse(raw) as { topic?: string }
        return (topic === undefined ? undefined : symbolOf(topic)) ?? []
      }),
    ),
  ]
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const category = searchParams.get('category')
    const isList = pathname.endsWith('/instruments-info') && (searchParams.get('status') ?? 'Trading') === 'Trading'
    const own = isList && (category === 'linear' || category === 'spot') ? symbols(category) : []
    const list = own.map(symbol => ({
      symbol,
      contractType: 'LinearPerpetual',
      status: 'Trading',
      baseCoin: 'X',
      quoteCoin: 'USDT',
    }))
    response.end(JSON.stringify({ retCode: 0, retMsg: 'OK', result: { category, list, nextPageCursor: '' } }))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket, request) => {
    const category: Category = request.url?.endsWith('/spot') === true ? 'spot' : 'linear'
    let begun = false
    socket.on('message', data => {
      if (begun || !(data as Buffer).includes('subscribe')) return
      begun = true
      for (const raw of received.get(category) ?? []) socket.send(raw)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  t.teardown(() => {
    for (const socket of sockets.clients) socket.terminate()
    server.close()
  })
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/v5/public`
}

t.test(
  'captured sessions over a real socket: byte for byte in raw, value for value in Parquet',
  { timeout: 300_000 },
  async t => {
    if (!needsFrames(t, 'bybit')) return
    const sessions = sessionsOf('bybit')
    t.not(sessions.length, 0)
    for (const { file, lines } of sessions) {
      const received = receivedIn(lines)
      const url = await player(t, received)
      const recorder = startRecorder(t, t.testdir({}), {
        ...{ name: 'bybit', url, instruments: ['*'], depth: 200 },
        channels: { option: [], future: [] },
        polls: { fundingHistory: { everyMinutes: 0 }, openInterest: { everyMinutes: 0 } },
        backfill: { offHours: 0 },
      })
      const all = [...received.values()].flat()
      const data = all.filter(raw => raw.includes('"topic"'))
      const families = bybit.families.filter(({ comes }) => comes === 'streamed').map(({ name }) => name)
      await until(
        `${file} arrived`,
        () => families.reduce((sum, family) => sum + framesTaken(recorder, family), 0) >= data.length,
      )
      await until('and its answers', () => framesTaken(recorder, 'answers') >= all.length - data.length)
      recorder.process.kill()
      const { exitCode, stderr } = await recorder.process
      t.equal(exitCode, 0, stderr)
      sealLeft(recorder.dataDir)
      const recorded = recordedLines(recorder.dataDir)
      for (const [category, frames] of received) {
        const isOwn = ({ family, conn }: (typeof recorded)[number]) =>
          /^d\d+$/.test(conn) && family.endsWith('.spot') === (category === 'spot') && families.includes(family)
        const conn = recorded.find(isOwn)?.conn
        const own = recorded.filter(line => line.conn === conn).sort((a, b) => a.seq - b.seq)
        t.strictSame(
          own.slice(0, frames.length).map(({ frame }) => frame.toString('utf8')),
          frames,
          `${file} ${category}: every frame, byte for byte, in order`,
        )
      }
      await execa({
        stdin: 'ignore',
      })`${[process.execPath, join(packageRoot, 'dist/cli/main.js'), 'compact', '--once', '--config', recorder.configFile]}`
      for (const [category, frames] of received) {
        const byFamily = new Map<string, string[]>()
        for (const frame of frames) {
          const { topic } = JSON.parse(frame) as { topic?: string }
          if (topic === undefined) continue
          const family = familyOfChannel(channelOf(category, topic))
          byFamily.set(family, [...(byFamily.get(family) ?? []), frame])
        }
        for (const [family, own] of byFamily) {
          const table = bybit.families.find(({ name }) => name === family)?.table ?? ''
          const rows = (await bybitRows(recorder.dataDir, table)).filter(
            row => (row['category'] === 'spot') === (category === 'spot'),
          )
          // Files lie by instrument; within a connection frames are in order.
          const wanted = own.flatMap(frame => rowsOfFrame(JSON.parse(frame) as Json, category))
          sameRows(t, rows, wanted, `${file} ${family}`)
        }
      }
    }
  },
)

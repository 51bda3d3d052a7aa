import t from 'tap'
import { books } from '../../../exchanges/bybit/book.js'
import { bybit as adapterOf } from '../../../exchanges/bybit/adapter.js'
import { bybitConfig } from '../../../exchanges/bybit/config.js'
import { parseInstruments } from '../../../exchanges/bybit/instruments.js'
import { bybit } from '../../../exchanges/bybit/main.js'
import type { SessionLink } from '../../../exchanges/adapter.js'
import { createLogger } from '../../../platform/log.js'
import { compactOnce, filesBelow } from '../../compactor/fixtures/compacted.js'
import { rawLine, sealSegment } from '../../compactor/fixtures/segments.js'
import { isUtf8 } from 'node:buffer'
import { frameFiles, framesIn, needsFrames } from '../../fixtures/exchange-frames.js'
import { mutations } from '../../fixtures/fuzzed-frames.js'
import { parsedJson } from '../../../platform/json-object.js'

/** So many mutations; `FUZZ=100000` for the long form, `FUZZ_SEED` to see one again. */
const COUNT = Number(process.env['FUZZ'] ?? 3000)
const SEED = Number(process.env['FUZZ_SEED'] ?? Date.now() % 1_000_000)
/** Of them so many go through the compactor, too. */
const COMPACTED = Math.min(COUNT, 1200)

const families = new Set([...bybit.families.map(({ name }) => name), 'other'])

t.test('hostile frames crash nothing and reach no path', async t => {
  if (!needsFrames(t, 'bybit')) return
  t.comment(`seed ${SEED}, ${COUNT} mutations`)
  const captured = frameFiles('bybit')
    .filter(file => !file.startsWith('rest_'))
    .flatMap(file => framesIn('bybit', file).slice(0, 150))
  const log = createLogger('test')
  const adapter = adapterOf(bybitConfig.parse({ name: 'bybit' }), log)
  const link = {
    ...{
      conn: 'd1',
      send: () => undefined,
      ping: () => undefined,
      journal: () => undefined,
      subscribed: () => undefined,
    },
    ...{ nowUs: () => 1, complain: () => undefined, limited: () => undefined, maintenance: () => undefined },
    ...{ measured: () => undefined, fail: () => undefined },
  } satisfies SessionLink
  const sessions = ['tickers.BTCUSDT', 'spot.tickers.BTCUSDT'].map(wanted =>
    adapter.openSession(link, () => new Set([wanted])),
  )
  t.teardown(() => sessions.forEach(session => session.closed()))
  const lines = new Map<string, Buffer[]>()
  let seq = 0
  for (const frame of mutations(captured, COUNT, SEED)) {
    seq++
    try {
      const session = sessions[seq % 2]
      const family = session?.data(frame, seq, false) ?? session?.control(frame, false).family ?? 'other'
      if (!families.has(family)) t.fail(`family ${family}`)
      const { kind, currency } = adapter.partitionOf?.(frame, family) ?? { kind: 'none', currency: 'none' }
      if (!/^[a-z_]+$/.test(kind) || !/^[A-Za-z0-9]{1,16}$/.test(currency)) t.fail(`partition ${kind} ${currency}`)
      const channel = bybit.frames.channelOf(frame, family)
      if (channel !== undefined) {
        bybit.names.subjectOf(channel)
        bybit.names.expiryMsOf(channel)
      }
      adapter.madeMs?.(frame)
      session?.channelOfPiece?.(frame)
      books.isSnapshot(frame)
      books.changeOf(frame.toString('utf8'))
      if (seq <= COMPACTED) {
        const encoding = !isUtf8(frame) ? 'base64' : isOneJson(frame) ? 'frame' : 'text'
        const own = lines.get(family) ?? []
        lines.set(family, own)
        own.push(rawLine(frame, seq, encoding))
      }
    } catch (error) {
      t.fail(`seed ${SEED}, mutation ${seq}: ${String(error)}`, { frame: frame.toString('latin1').slice(0, 400) })
      throw error
    }
  }
  const rows = JSON.parse('[{"symbol":"A"},{"symbol":7},null,7,"x",{"symbol":"B","deliveryTime":{}},{}]') as unknown[]
  t.equal(parseInstruments('linear', rows).instruments.length, 2)

  const dataDir = t.testdir()
  let number = 0
  for (const [family, own] of lines) sealSegment(dataDir, family, own, { exchange: 'bybit', number: ++number })
  const summary = await compactOnce(dataDir)
  t.equal(summary.failed, 0, 'every segment is converted')
  const odd = filesBelow(dataDir).filter(
    path =>
      path.includes('/kind=') &&
      !/kind=[a-z_]+\/currency=[A-Za-z0-9]{1,16}\/date=[0-9-]{10}\/[\w-]+\.parquet$/.test(path),
  )
  t.same(odd, [], 'no name from the wire is in a path')
})

function isOneJson(frame: Buffer): boolean {
  const text = frame.toString('utf8')
  return !/[\n\r]/.test(text) && parsedJson(text) !== undefined
}

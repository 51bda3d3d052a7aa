import { mkdirSync, mkdtempSync, readFileSync, renameSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { openEngine, type Engine } from '../../../compactor/engine.js'
import { convertSegment } from '../../../compactor/segment/convert.js'
import type { Source } from '../../../compactor/segment/source.js'
import { tableOf, tables, tableSql } from '../../../compactor/tables.js'
import { lineHead } from '../../../formats/raw-line.js'
import { parseSegmentPath } from '../../../formats/raw-path.js'
import { hourlyName, parquetFolder } from '../../../formats/parquet-path.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { sealSegment, START_US } from '../fixtures/segments.js'
import { AT, subscription } from '../fixtures/samples/sample.js'

const folder = memoryFolder(t)
/** More than few, and not too many to be kept. */
const KEPT_BYTES = 8 * 1024 * 1024

interface Line {
  conn?: string
  seq?: number
  frame: string
}

interface Made {
  files: Record<string, string>
  rows: number
  duplicates: number
  duplicateRows: number
  quarantined: number
  wasKept: boolean
}

const lineOf = ({ conn = 'd1', seq, frame }: Line, index: number) =>
  Buffer.from(`${lineHead(START_US + index + 1, conn, seq ?? index + 1, 'frame')}${frame}}`)

/** Converts lines with rows kept in memory, or staged in a table. */
async function convert(
  family: string,
  lines: readonly Line[],
  bytesRaw: number | undefined,
  root?: string,
  memoryMiB = 256,
): Promise<Made> {
  const dataDir = mkdtempSync(join(folder, 'data-'))
  const { segment, sha256 } = sealSegment(dataDir, family, lines.map(lineOf), { number: root === undefined ? 1 : 2 })
  const { name } = parseSegmentPath(segment) ?? {}
  if (!name) throw new Error(segment)
  const engine = await openEngine({ memoryMiB, threads: 1, spillFolder: join(dataDir, 'spill') })
  const statements: string[] = []
  const watched: Engine = { ...engine, run: (sql, values) => (statements.push(sql), engine.run(sql, values)) }
  const source: Source = {
    ...{ path: join(dataDir, segment), segment, sha256, name, frames: lines.length, channelAt: [] },
    ...{ table: tableOf({ exchange: 'deribit', channel: family }), ...(bytesRaw === undefined ? {} : { bytesRaw }) },
  }
  const out = join(dataDir, 'out')
  mkdirSync(out)
  try {
    const earlier = {
      ...{ rootsOf: () => (root === undefined ? [] : [root]), keepDuplicates: false, windowMs: 5000 },
      onUnreadable: (path: string) => {
        throw new Error(path)
      },
    }
    const { parts, rows, duplicates, duplicateRows, quarantined } = await convertSegment(watched, source, earlier, out)
    const files: Record<string, string> = {}
    for (const { temporary, table, partition } of parts) {
      files[`${table} ${partition.kind} ${partition.currency}`] = readFileSync(temporary, 'base64')
      const place = join(dataDir, parquetFolder('deribit', table, partition, '2026-11-22'), hourlyName(name))
      mkdirSync(dirname(place), { recursive: true })
      renameSync(temporary, place)
    }
    const wasKept = statements.some(sql => sql.startsWith('CREATE VIEW'))
    made.set(files, dataDir)
    return { files, rows, duplicates, duplicateRows, quarantined, wasKept }
  } finally {
    engine.close()
  }
}

/** Where the files are, as a compactor would have them. */
const made = new WeakMap<object, string>()

/** The same files either way; whether rows were kept. */
async function compare(t: Test, what: string, family: string, lines: readonly Line[], root?: string): Promise<Made> {
  const staged = await convert(family, lines, undefined, root)
  const kept = await convert(family, lines, KEPT_BYTES, root)
  t.equal(staged.wasKept, false)
  t.same({ ...kept, wasKept: false }, staged, `${what}: the same files, and the same of all else`)
  return kept
}

const NAMES = [
  ...['BTC-PERPETUAL', 'BTC-25SEP26', 'BTC-25SEP26-100000-C', 'BTC-25SEP26-90000-P', 'BTC-3OCT26-90000-P'],
  ...['ETH-PERPETUAL', 'ETH-25SEP26-4000-C', 'SOL_USDC-PERPETUAL', 'XRP_USDC', 'BTC-FS-25SEP26_PERP'],
]
const price = fc.oneof(
  fc.constant(null),
  fc.integer({ min: 1, max: 90_000 }),
  fc.double({ min: 0.0001, max: 9, noNaN: true }),
)
const head = fc.record({
  instrument_name: fc.constantFrom(...NAMES),
  /** Mostly forwards. */
  late: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: -40, max: 40 }) }),
})
const quotes = fc.array(
  fc.tuple(head, fc.record({ best_bid_price: price, best_ask_amount: price }, { requiredKeys: [] })),
  {
    minLength: 1,
    maxLength: 400,
  },
)

t.test('rows that are kept in order make the files that rows make which are staged and sorted', async t => {
  await fc.assert(
    fc.asyncProperty(quotes, fc.boolean(), async (moments, hasTwo) => {
      const lines = moments.map(([{ instrument_name, late }, prices], index) => ({
        // Each connection counts its own frames.
        ...(hasTwo ? { conn: index % 2 === 0 ? 'd2' : 'd10', seq: index >> 1 } : {}),
        frame: subscription(`quote.${instrument_name}`, {
          ...{ timestamp: AT + Math.floor(index / 3) + late, instrument_name, ...prices },
        }),
      }))
      const { wasKept, rows } = await compare(t, `${lines.length} lines`, 'quote', lines)
      t.ok(wasKept)
      t.ok(rows > 0)
    }),
    { numRuns: 12 },
  )
})

const trade = (index: number, more: object = {}) => ({
  ...{ timestamp: AT + index, instrument_name: NAMES[index % NAMES.length], trade_seq: index, trade_id: String(index) },
  ...{ price: 5 + index, amount: 1, direction: index % 2 === 0 ? 'buy' : 'sell', ...more },
})
const trades = (...items: object[]): Line => ({ frame: subscription('trades.option.any.100ms', items) })
const SOME = Array.from({ length: 300 }, (_, index) => trades(trade(2 * index), trade(2 * index + 1)))

t.test('several rows of a line, and texts that are many, long or missing', async t => {
  t.ok((await compare(t, 'pairs', 'trades', SOME)).wasKept)
  const many = Array.from({ length: 5000 }, (_, index) =>
    trades(
      trade(index, index % 7 === 0 ? { trade_id: null, block_trade_id: `B-${'0'.repeat(300)}${index}` } : {}),
      trade(index + ((index * 7919) % 50), {
        trade_id: `second-${index}`,
        direction: 'x'.repeat(index % 40),
        liquidation: index % 3 ? null : 'MT',
      }),
    ),
  )
  t.ok((await compare(t, 'many texts', 'trades', many)).wasKept)
  // As long as there is room for in a vector, of one name and of others in between.
  const long = Array.from({ length: 40 }, (_, index) =>
    trades(trade(index, { combo_id: (index % 2 ? 'a' : 'b').repeat(9000 * (index % 12)) })),
  )
  t.ok((await compare(t, 'long texts', 'trades', long)).wasKept)
})

t.test('lines that are read in another way, and such that do not fit, first or last', async t => {
  const others = {
    'an unknown member': trades(trade(1, { zz: 1 })),
    'an escape': { frame: subscription('trades.option.any.100ms', [trade(1)]).replace('"sell"', '"se\\u0000ll"') },
    'no price': trades(trade(1), trade(2, { price: null })),
    'a time that is none': trades(trade(1, { timestamp: -1e300 })),
    'no JSON': { frame: '{"jsonrpc' },
  }
  for (const [what, line] of Object.entries(others)) {
    t.notOk((await compare(t, `${what}, first`, 'trades', [line, ...SOME])).wasKept)
    t.notOk((await compare(t, `${what}, last`, 'trades', [...SOME, line])).wasKept)
  }
  t.notOk((await compare(t, 'parts of a ms', 'trades', [...SOME, trades(trade(1, { timestamp: AT + 0.25 }))])).wasKept)
})

t.test('copies of events, in the segment and in earlier files', async t => {
  const twice = SOME.flatMap(({ frame }, index) => [
    { conn: 'd1', seq: index, frame },
    { conn: 'd2', seq: index, frame },
  ])
  const both = await compare(t, 'two connections', 'trades', twice)
  t.match(both, { wasKept: true, rows: 600, duplicates: 300, duplicateRows: 600 })
  const earlier = await convert('trades', SOME.slice(0, 100), KEPT_BYTES)
  const root = made.get(earlier.files)
  const later = await compare(t, 'earlier files', 'trades', SOME, root)
  t.match(later, { wasKept: true, duplicates: 100, duplicateRows: 200, rows: 400 })
  const anew = SOME.map((_, index) => trades(trade(1000 + index)))
  t.match(await compare(t, 'no copies', 'trades', anew, root), { duplicateRows: 0, rows: 300 })
})

t.test('more rows than there is memory for are staged', async t => {
  const long = Array.from({ length: 600 }, (_, index) =>
    trades(trade(index, { block_trade_id: `${index} ${'x'.repeat(60_000)}` })),
  )
  const few = await convert('trades', long, KEPT_BYTES, undefined, 64)
  const more = await convert('trades', long, KEPT_BYTES)
  t.same([few.wasKept, more.wasKept], [false, true])
  t.same(few.files, more.files)
})

t.test('where a table says which members its rows are ordered by, its SQL takes them for that', t => {
  let ordered = 0
  for (const table of tables) {
    const [{ order }] = table.readings
    const sql = order ? tableSql(table, 0) : ''
    if (!order || !sql.includes(`"${order.name}": "VARCHAR"`) || !sql.includes(`"${order.time}": "DOUBLE"`)) continue
    ordered++
    t.ok(sql.includes(`data.${order.name} AS instrument_name,`), `${table.name}: its name`)
    t.ok(sql.includes(`moment(data."${order.time}") AS exchange_ts,`), `${table.name}: its time`)
  }
  t.ok(ordered > 5, `${ordered} tables`)
  t.end()
})

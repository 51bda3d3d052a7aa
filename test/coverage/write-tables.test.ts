import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { derivedTables, writeCoverage } from '../../coverage/write-tables.js'
import { Dataset } from '../../reader/query/dataset.js'
import { convertedFolders } from '../../compactor/date/date-job.js'
import { openDuckDb } from '../../platform/duckdb.js'
import { parseShippedName } from '../../syncer/shipped-name.js'
import { writeDataset } from '../fixtures/dataset.js'
import { documentedColumns } from '../compactor/fixtures/tables-page.js'
import { journal, rows, us } from './fixtures/dataset-rows.js'

const names = ['BTC-PERPETUAL', 'ETH-PERPETUAL']
const story = journal([
  [0, 'started', { run: 'r1' }],
  [0, 'subscribed', { channels: names.map(name => `quote.${name}`) }],
  [0, 'subscribed', { channels: names.map(name => `book.${name}.100ms`) }],
  [30, 'gap', { cause: 'reset', families: ['quote'], from_us: us(20), to_us: us(30) }],
  [
    45,
    'book_break',
    { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', from_us: us(40), to_us: us(41) },
  ],
  [46, 'resync', { channel: 'book.BTC-PERPETUAL.100ms', instrument: 'BTC-PERPETUAL', from_us: us(40), to_us: us(46) }],
  [50, 'covered', { by: 'd2', cause: 'reset', families: ['quote'], from_us: us(48), to_us: us(49) }],
  [36_000, 'stopped', {}],
])
const everySecond = (table: string, columns: string[], values: (string | number)[]) => ({
  table,
  kind: 'perpetual',
  currency: 'BTC',
  sql: rows(
    ['instrument_name', ...columns],
    Array.from({ length: 100 }, (_, i) => [i, names[i % 2] ?? '', ...values]),
  ),
})

t.test('bad intervals as a table, so that a query can leave them out', async t => {
  const root = t.testdir()
  const book = everySecond('book', ['type', 'change_id', 'prev_change_id'], ['snapshot', 1, 0])
  await writeDataset(root, [story, everySecond('quote', [], []), book])
  const paths = await writeCoverage(root, '2026-11-22')
  t.same(
    paths,
    ['coverage', 'coverage_hours'].map(
      table => `parquet/exchange=deribit/table=${table}/kind=none/currency=none/date=2026-11-22/day-h1.parquet`,
    ),
  )
  for (const path of paths) t.equal(parseShippedName(path)?.date, '2026-11-22', 'the syncer takes it along')
  t.notOk(
    convertedFolders(root).some(({ table }) => table.includes('coverage')),
    'no rebuild takes it away',
  )

  const connection = await openDuckDb()
  t.teardown(() => connection.closeSync())
  await new Dataset(connection, root).show(['quote', 'book', 'coverage', 'coverage_hours'])
  const ask = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson()
  const told = await ask(
    'SELECT state, data, instrument_kind, instrument_name, start_us, end_us, cause, grade FROM coverage',
  )
  t.same(
    told.filter(([state]) => state === 'missing'),
    [
      ['missing', 'quote', 'perpetual', 'BTC-PERPETUAL', String(us(20)), String(us(30)), 'reset', 'watched'],
      ['missing', 'quote', 'perpetual', 'ETH-PERPETUAL', String(us(20)), String(us(30)), 'reset', 'watched'],
      [
        ...['missing', 'book', 'perpetual', 'BTC-PERPETUAL', String(us(40)), String(us(46))],
        ...['a change of the book was missing, until the next snapshot', 'exact'],
      ],
    ],
  )
  const good = (table: string) => `SELECT count(*)::INTEGER FROM ${table} t WHERE NOT EXISTS (
    SELECT 1 FROM coverage c WHERE c.data = '${table}' AND c.state IN ('missing', 'not recording')
      AND c.instrument_kind = t.kind
      AND (c.instrument_name IS NULL OR c.instrument_name = t.instrument_name)
      AND epoch_us(t.recv_ts) >= c.start_us AND epoch_us(t.recv_ts) < c.end_us)`
  t.same(await ask(good('quote')), [[90]], 'the end is not part of a gap')
  t.same(await ask(good('book')), [[97]], 'of one instrument alone')
  const hours = await ask(
    "SELECT hour_us, channels, missing_us, complete < 1, cause, grade FROM coverage_hours WHERE data = 'quote' ORDER BY 1 LIMIT 2",
  )
  t.same(hours[0], [String(us(0)), '2', '20000000', true, 'reset', 'watched'])
  t.same(hours[1], [String(us(3600)), '2', '0', false, null, 'watched'])

  const [path = ''] = paths
  const before = { bytes: readFileSync(join(root, path)), inode: statSync(join(root, path)).ino }
  await writeCoverage(root, '2026-11-22')
  t.ok(readFileSync(join(root, path)).equals(before.bytes), 'written again it is the same')
  t.equal(statSync(join(root, path)).ino, before.inode, 'and not touched, so that it is not shipped again')
  t.same(await writeCoverage(root, '2026-11-20'), [], 'nothing for a day on which nothing was to come')
})

t.test('tables that are made from others are documented as they are written', t => {
  const page = documentedColumns()
  for (const { name, columns } of derivedTables) {
    const found = page.get(name)?.map(column => [column.name, column.type])
    t.same(found, columns, name)
  }
  t.end()
})

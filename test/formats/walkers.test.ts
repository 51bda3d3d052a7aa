import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { parquetFiles, parquetTables } from '../../formats/parquet-tree.js'
import { segmentPath, type SegmentName, type SegmentState } from '../../formats/raw-path.js'
import { rawFiles, rawSegments } from '../../formats/raw-tree.js'
import { datesOfTree, treePlaceOf } from '../../formats/tree-place.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { partitionedSql } from '../../formats/partitioned-sql.js'
import { commandHere } from '../fixtures/command-here.js'

const HOUR_MS = 3_600_000
const START_MS = Date.UTC(2026, 0, 1)

function put(root: string, name: Partial<SegmentName>, state: SegmentState = 'sealed'): string {
  const whole = {
    exchange: 'deribit',
    channel: 'trades',
    startedMs: START_MS,
    host: 'vps1',
    run: 'r1',
    number: 1,
    ...name,
  }
  const path = segmentPath(whole, state)
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), 'nobody may open it')
  return path
}

t.test('segments of all layouts come in one order, each once, whatever is asked of the walk', async t => {
  const root = t.testdir()
  const first = put(root, { kind: 'option', currency: 'BTC' })
  const second = put(root, { number: 2 }, 'open')
  const third = put(root, { startedMs: START_MS + HOUR_MS, kind: 'option', number: 3 })
  const other = put(root, { startedMs: START_MS + 30 * HOUR_MS, host: 'vps2', exchange: 'bybit', channel: 'quote' })
  put(root, { kind: 'option', currency: 'BTC' }, 'manifest')
  put(root, { number: 9 }, 'rewriting')
  const found = (query: Parameters<typeof rawSegments>[1]) => [...rawSegments(root, query)].map(({ path }) => path)
  t.same(found({}), [first, second, third, other])
  t.same(found({ newestFirst: true }), [other, third, second, first])
  t.same(found({ exchange: 'bybit' }), [other])
  t.same(found({ mayHold: family => family === 'quote' }), [other])
  t.same(found({ fromUs: (START_MS + 1.5 * HOUR_MS) * 1000, toUs: (START_MS + 2 * HOUR_MS) * 1000 }), [third])
  const aroundHour = { fromUs: (START_MS + HOUR_MS + 30_000) * 1000, toUs: (START_MS + 2 * HOUR_MS) * 1000 }
  t.same(found(aroundHour), [first, second, third], 'the last frames of an hour may have come a little after it')
  const before = { fromUs: (START_MS - HOUR_MS) * 1000, toUs: (START_MS - 30_000) * 1000 }
  t.same(found(before), [first, second], 'and the first a little before it')
  t.same(found({ below: dirname(third) }), [third])
  t.same(found({ below: 'raw/exchange=deribit/channel=trades/kind=option' }), [first, third])
  for (const state of ['open', 'sealed', 'manifest'] as const)
    t.same(
      [...rawFiles(root, { states: [state] })],
      [...rawFiles(root)].filter(file => file.state === state),
      'files in one state alone',
    )
  t.same(
    [...rawFiles(root)].map(({ state }) => state),
    ['manifest', 'sealed', 'open', 'rewriting', 'sealed', 'sealed'],
  )
  t.same(datesOfTree(root), { first: '2026-01-01', last: '2026-01-02' })
  t.same(treePlaceOf(join(root, dirname(third))), { root, below: dirname(third) })
})

t.test('a segment that is being sealed is found once, one of which only the manifest is left is not', async t => {
  const root = t.testdir()
  const sealed = put(root, {})
  put(root, {}, 'open')
  put(root, { number: 2 }, 'manifest')
  t.same(
    [...rawSegments(root)].map(({ path }) => path),
    [sealed],
  )
})

for (const [what, folder] of [
  ['date', {}],
  ['hour', { inHourFolder: true as const }],
] as const) {
  t.test(`a question for one hour lists the folders of its ${what}, out of a year of them`, async t => {
    const root = t.testdir()
    const groups = [{}, { kind: 'option' }, { kind: 'option', currency: 'BTC' }].map(group => ({ ...group, ...folder }))
    for (let hour = 0; hour < 365 * 24; hour += 4) {
      for (const [index, group] of groups.entries()) {
        const path = put(root, { startedMs: START_MS + hour * HOUR_MS, number: index + 1, ...group })
        writeFileSync(join(root, dirname(path), 'listed'), '')
      }
    }
    const listed: string[] = []
    const askedMs = START_MS + 100 * 24 * HOUR_MS + 8 * HOUR_MS
    const query = {
      fromUs: askedMs * 1000,
      toUs: (askedMs + HOUR_MS) * 1000,
      onStranger: (path: string) => listed.push(path),
    }
    t.equal([...rawSegments(root, query)].length, 3)
    t.equal(listed.length, 3, 'no other folder was looked into')

    // Whatever else were opened would be told as damaged.
    const real = put(root, { startedMs: askedMs, number: 7 })
    const line = `{"recv_us":${askedMs * 1000 + 5},"conn":"d1","seq":1,"frame":{"n":1}}`
    const { compress } = await import('zstd-napi')
    writeFileSync(join(root, real), compress(Buffer.from(`${line}\n`)))
    const from = new Date(askedMs).toISOString()
    const to = new Date(askedMs + HOUR_MS).toISOString()
    const family = join(root, 'raw/exchange=deribit/channel=trades')
    const { stdout, exitCode } = await commandHere(['dump', family, '--from', from, '--to', to])
    t.equal(exitCode, 0)
    t.equal(stdout.split('\n').filter(text => text === line).length, 1, 'dump finds it')
    t.ok(stdout.length < 400, 'and opens only the files of that hour')
    const none = await commandHere(['dump', family, '--from', '2027-06-01', '--to', '2027-06-02'])
    t.equal(none.exitCode, 1)
    t.match(none.stderr, /without files of ours that may hold lines of that time/)
  })
}

t.test('Parquet with or without the levels of kind and currency is one table', async t => {
  const root = join(t.testdir(), 'kind=of disk')
  const levels = ['kind=option/currency=BTC/', 'kind=option/', '']
  const connection = await openDuckDb()
  for (const [index, level] of levels.entries()) {
    const folder = join(root, `parquet/exchange=deribit/table=trades/${level}date=2026-11-2${index}`)
    mkdirSync(folder, { recursive: true })
    const sql = `COPY (SELECT ${index} AS n) TO ${sqlText(join(folder, `14-vps1-r1-${index}.parquet`))} (FORMAT parquet)`
    await connection.run(sql)
  }
  const files = [...parquetFiles(root, { table: 'trades' })]
  t.equal(files.length, 3)
  t.equal([...parquetFiles(root, { dates: { first: '2026-11-21', last: '2026-11-21' } })].length, 1)
  t.same([...parquetTables(root)], [['trades', ['deribit']]])
  const paths = files.map(({ path }) => join(root, path))
  const sql = `SELECT n, kind, currency, date FROM (${partitionedSql(paths, { dateType: 'VARCHAR' })}) ORDER BY n`
  t.same((await connection.runAndReadAll(sql)).getRowsJson(), [
    [0, 'option', 'BTC', '2026-11-20'],
    [1, 'option', null, '2026-11-21'],
    [2, null, null, '2026-11-22'],
  ])
  connection.closeSync()
  const { stdout } = await commandHere([
    'query',
    'SELECT count(*) AS n, count(kind) AS kinds FROM trades',
    '--path',
    root,
    '--json',
  ])
  t.same(JSON.parse(stdout), { n: 3, kinds: 2 })
})

t.test(
  'a folder of a day that no calendar has is a stranger: it took a whole table from whoever asked for dates',
  async t => {
    const root = t.testdir()
    const connection = await openDuckDb()
    const days = ['2026-11-20', '2026-02-30', '2026-13-45']
    for (const date of days) {
      const folder = join(root, `parquet/exchange=deribit/table=quote/kind=option/currency=BTC/date=${date}`)
      mkdirSync(folder, { recursive: true })
      const path = join(folder, 'day-h.parquet')
      await connection.run(
        `COPY (SELECT now() AS recv_ts, 'A' AS instrument_name) TO ${sqlText(path)} (FORMAT parquet)`,
      )
    }
    connection.closeSync()
    const strangers: string[] = []
    const onStranger = (path: string) => strangers.push(path)
    t.equal([...parquetFiles(root, { onStranger })].length, 1)
    t.same(strangers.map(path => /date=([^/]+)/.exec(path)?.[1]).sort(), days.slice(1))
    const asked = ['query', 'SELECT date, count(*) AS n FROM quote GROUP BY 1', '--path', root, '--json']
    const { stdout, stderr } = await commandHere(asked)
    t.same(JSON.parse(stdout), { date: '2026-11-20', n: 1 }, stderr)
  },
)

t.test('few dates are looked for by name, and are those that a walk over all finds', t => {
  const root = t.testdir()
  const folder = (kind: string, date: string) => join(root, `parquet/exchange=deribit/table=quote${kind}/date=${date}`)
  for (const kind of ['', '/kind=option', '/kind=option/currency=BTC'])
    for (const day of [1, 2, 3, 9]) mkdirSync(folder(kind, `2026-01-0${day}`), { recursive: true })
  for (const date of ['2026-01-01', '2026-01-03']) writeFileSync(join(folder('', date), '05-h-r-1.parquet'), '')
  writeFileSync(join(folder('/kind=option/currency=BTC', '2026-01-02'), 'day-h.parquet'), '')
  // A file under the name of a day.
  writeFileSync(join(root, 'parquet/exchange=deribit/table=quote/kind=option/currency=BTC/date=2026-01-04'), '')
  const found = (dates?: { first: string; last: string }) => [...parquetFiles(root, { dates })].map(({ path }) => path)
  const all = found()
  t.equal(all.length, 3)
  t.same(found({ first: '2026-01-01', last: '2026-01-04' }), all)
  t.same(found({ first: '2026-01-01', last: '2026-12-31' }), all, 'of many the names are read')
  t.same(
    found({ first: '2026-01-02', last: '2026-01-02' }),
    all.filter(path => path.includes('2026-01-02')),
  )
  t.same(found({ first: '2026-01-05', last: '2026-01-04' }), [])
  t.end()
})

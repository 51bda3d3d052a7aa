import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { duckdb } from '../../platform/duckdb.js'
import { catalogSql } from '../../reader/query/catalog-sql.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { listPartitions, readFrames } from '../../reader/library.js'
import { compactOnce } from '../compactor/fixtures/compacted.js'
import { commandHere } from '../fixtures/command-here.js'
import { putStrangersBeside, writeMixedTree } from '../fixtures/mixed-tree.js'

const SEGMENTS = 7
const FRAMES = 7
/** Whatever stands in the names of folders above a tree, it is a name and no pattern, no quote and no partition. */
const ODD_FOLDERS = String.raw`it's [a] "b" * ? {c,d} üñ/date=2001-01-01/tape`

interface ReadBy {
  root: string
  /** A folder beside it. */
  aside: string
  t: Test
}

async function everyReaderFindsAll({ root, aside, t }: ReadBy): Promise<void> {
  const run = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await commandHere(args)
    t.equal(exitCode, 0, `edgetape ${args[0] ?? ''}: ${stderr}`)
    return stdout
  }
  const seqs: string[] = []
  for await (const { conn, seq } of readFrames({ path: root })) seqs.push(`${conn}.${seq}`)
  t.same(seqs, ['journal.1', 'd1.1', 'd1.2', 'd1.3', 'd1.4', 'd1.5', 'd1.6'], 'frames')
  t.equal((await run('dump', root)).trimEnd().split('\n').length, FRAMES, 'dump')
  t.equal(
    (await run('dump', root, '--from', '2026-11-22T14:00', '--to', '2026-11-22T15:00')).split('\n').length,
    FRAMES,
  )
  for (const source of ['raw', 'parquet']) {
    const book = await run(
      'book',
      'BTC-PERPETUAL',
      '--at',
      '2026-11-22T14:00:00.007',
      '--path',
      root,
      '--source',
      source,
      '--json',
    )
    for (const level of ['80001', '80002', '80003', '90000']) t.match(book, level, `book from ${source}`)
  }
  for (const more of [[], ['--no-fresh']]) {
    const sql = 'SELECT count(*) AS n, count(DISTINCT kind) AS kinds, max(date) AS day FROM trades'
    t.same(JSON.parse(await run('query', sql, '--path', root, '--json', ...more)), {
      n: 3,
      kinds: 1,
      day: '2026-11-22',
    })
  }
  t.match(await run('coverage', '--path', root), /^Files say: \d+ kinds of data, .*no journal/s, 'coverage')
  const { tables } = JSON.parse(await run('coverage', '--path', root, '--count', '--json')) as {
    tables: { table: string; rows: number }[]
  }
  t.equal(tables.find(({ table }) => table === 'trades')?.rows, 3, 'coverage')
  const merged = join(aside, 'merged')
  t.match(JSON.parse(await run('merge', root, '--out', merged, '--json')), { segments: SEGMENTS, faults: 0 })
  t.match(await run('verify', root), /raw: 7 segments .* 7 frames/)
  const trades = listPartitions(root, { table: 'trades' })
  t.same([trades.length, trades[0]?.files.length], [1, 3], 'the library’s partitions')
}

t.test('files of every layout in one channel are found by every reader', async t => {
  const aside = t.testdir()
  const root = join(aside, ODD_FOLDERS)
  mkdirSync(root, { recursive: true })
  t.equal(writeMixedTree(root).length, SEGMENTS)
  t.match(await compactOnce(root), { segments: SEGMENTS, failed: 0 })
  await everyReaderFindsAll({ root, aside, t })
})

t.test('sidecars and conflicted copies harm no reader, and verify names them', async t => {
  const aside = t.testdir()
  const root = join(aside, 'tape')
  mkdirSync(root)
  const segments = writeMixedTree(root)
  const strangers = segments.flatMap(path => putStrangersBeside(root, path))
  t.match(await compactOnce(root), { segments: SEGMENTS, failed: 0 })
  const tables = [...parquetFiles(root)].map(({ path }) => path)
  strangers.push(...tables.flatMap(path => putStrangersBeside(root, path)))
  await everyReaderFindsAll({ root, aside, t })
  const { stdout } = await commandHere(['verify', root])
  const named = new Set(
    [...stdout.matchAll(/^note: (.*): is no name of ours; not looked at/gm)].map(([, path]) => path),
  )
  t.same([...named].sort(), [...new Set(strangers)].sort())

  const ask = async (location: string, sql: string) => {
    const instance = await duckdb().DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(await catalogSql(root, 'duckdb', location))
    const rows = (await connection.runAndReadAll(sql)).getRowsJson()
    connection.closeSync()
    instance.closeSync()
    return rows
  }
  t.same(await ask(root, 'SELECT count(*)::INTEGER FROM trades'), [[3]], 'nor the catalog')
  const odd = join(aside, "it's [a] * ?")
  symlinkSync(root, odd)
  t.same(await ask(odd, 'SELECT count(*)::INTEGER FROM trades'), [[3]], 'wherever it lies')
  await t.rejects(catalogSql(root, 'duckdb', '/a\\b'), { code: 'CATALOG_PATH' })
})

t.test('a backslash in the path is a sign like others', async t => {
  const aside = t.testdir()
  const root = join(aside, 'back\\slash')
  mkdirSync(root)
  writeMixedTree(root)
  t.match(await compactOnce(root), { segments: SEGMENTS, failed: 0 })
  await everyReaderFindsAll({ root, aside, t })
})

import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { revokeFinishedList } from '../../../formats/finished-list.js'
import { parquetFiles } from '../../../formats/parquet-tree.js'
import { packageRoot } from '../../../platform/package-info.js'
import { finishedFiles } from '../../../reader/finished-days/finished-files.js'
import { freshSettings } from '../../../reader/query/fresh-settings.js'
import { QuerySession } from '../../../reader/query/session.js'
import {
  compactNextDay,
  DATE,
  INSTRUMENTS,
  LIST,
  makeListedDay,
  NEXT_DAY,
  QUOTES,
  sealJournal,
  sealQuotes,
} from '../../compactor/fixtures/listed-day.js'
import { needs, needsThat } from '../../fixtures/needs.js'

/** Of a statement on quotes: its count, and what it was made of. */
async function asked(root: string, where: string) {
  const { fresh } = freshSettings(root, '')
  const session = await QuerySession.open({ root, fresh, note: () => undefined })
  try {
    return await session.ask(`SELECT count(*) FROM quote WHERE ${where}`, async connection => {
      const [[count] = []] = (await connection.runAndReadAll(`SELECT count(*) FROM quote WHERE ${where}`)).getRows()
      const [[sql] = []] = (
        await connection.runAndReadAll(`SELECT sql FROM duckdb_views() WHERE view_name = 'quote'`)
      ).getRows()
      const paths = String(sql).match(/parquet\/exchange=[^']*\.parquet/g) ?? []
      return { count: Number(count), files: paths.length, isByName: /union_by_name\W+(?:CAST\W+)?t/i.test(String(sql)) }
    })
  } finally {
    session.connection.closeSync()
    session.clear()
  }
}

const ofDay = `date = '${DATE}'`
const ofOne = `${ofDay} AND instrument_name = 'BTC-PERPETUAL'`

const made = (async () => {
  const box = t.testdir()
  await makeListedDay(box)
  return box
})()

/** As the compactor's box has it, and as a copy, where nobody knows more than the files say. */
async function listedDay(t: Test, name = '') {
  const folder = join(name === '' ? t.testdir() : t.testdirName, name)
  const [box, copy] = [join(folder, 'box'), join(folder, 'copy')]
  cpSync(await made, box, { recursive: true })
  for (const tree of ['raw', 'parquet', 'lists']) cpSync(join(box, tree), join(copy, tree), { recursive: true })
  return { box, copy }
}

t.test('a question opens only files that may hold its rows, by the list of their day', async t => {
  for (const root of Object.values(await listedDay(t))) {
    t.same(await asked(root, ofOne), { count: QUOTES, files: 1, isByName: false })
    t.same(await asked(root, ofDay), { count: QUOTES * INSTRUMENTS.length, files: 4, isByName: false })
    const either = `${ofDay} AND instrument_name IN ('ETH-25DEC26', 'BTC-PERPETUAL')`
    t.same(await asked(root, either), { count: QUOTES * 2, files: 2, isByName: false })
    t.same(await asked(root, `${ofDay} AND instrument_name = 'SOL-PERPETUAL'`), { count: 0, files: 0, isByName: false })
    const like = `${ofDay} AND instrument_name LIKE 'BTC-%'`
    t.same(await asked(root, like), { count: QUOTES * 2, files: 4, isByName: false })
    t.match(await asked(root, `instrument_name = 'BTC-PERPETUAL'`), { count: QUOTES })
    rmSync(join(root, 'lists'), { recursive: true })
    t.same(await asked(root, ofOne), { count: QUOTES, files: 4, isByName: true }, 'without lists all are asked')
  }
})

const changes: { name: string; count: number; change: (root: string) => Promise<void> | void }[] = [
  {
    name: 'another recorder, whose lists are not here',
    count: QUOTES + 3,
    change: async root => {
      sealQuotes(root, 5, 'vps-2')
      sealJournal(root, 'vps-2')
      const list = readFileSync(join(root, LIST))
      await compactNextDay(root)
      writeFileSync(join(root, LIST), list)
    },
  },
  { name: 'a revoked list', count: QUOTES, change: root => revokeFinishedList(root, DATE, 'vps-1') },
  { name: 'a list that was cut off', count: QUOTES, change: root => truncateSync(join(root, LIST), 1500) },
  {
    name: 'a line that is missing from a list',
    count: QUOTES,
    change: root => {
      const lines = readFileSync(join(root, LIST), 'utf8').split('\n')
      writeFileSync(join(root, LIST), lines.filter(line => !line.includes('kind=perpetual/currency=BTC')).join('\n'))
    },
  },
  {
    name: 'a list of a later format',
    count: QUOTES,
    change: root =>
      writeFileSync(join(root, LIST), readFileSync(join(root, LIST), 'utf8').replace('"format":1', '"format":2')),
  },
  {
    name: 'two lists that contradict each other',
    count: QUOTES,
    change: root =>
      writeFileSync(
        join(root, LIST.replace('vps-1', 'nas')),
        readFileSync(join(root, LIST), 'utf8').replace(/"sha256":"./g, '"sha256":"f'),
      ),
  },
  {
    name: 'a journal that did not come yet',
    count: QUOTES,
    change: root => rmSync(join(root, 'parquet/exchange=deribit/table=journal'), { recursive: true }),
  },
]

/** The same by the Python package, of several copies: counts, and whether columns of files were compared. */
const PYTHON = `
import json, sys
import edgetape
for root in sys.argv[2:]:
    tape = edgetape.open(root)
    count = tape.sql(f"SELECT count(*) FROM quote WHERE {sys.argv[1]}").fetchall()[0][0]
    sql = tape.sql("SELECT sql FROM duckdb_views() WHERE view_name = 'quote'").fetchall()[0][0]
    print(json.dumps({"count": count, "isByName": "union_by_name" in sql}))
`

async function askedByPython(t: Test, roots: readonly string[]) {
  if (!needs(t, 'python')) return undefined
  const env = { PYTHONPATH: join(packageRoot, 'python'), PYTHONDONTWRITEBYTECODE: '1' }
  const { stdout, stderr, exitCode } = await execa('python3', ['-c', PYTHON, ofOne, ...roots], { env, reject: false })
  if (!needsThat(t, !stderr.includes("No module named 'duckdb'"), 'needs DuckDB for Python')) return undefined
  t.equal(exitCode, 0, stderr)
  return stdout.split('\n').map(line => JSON.parse(line) as object)
}

t.test('where a list does not tell all there is, folders are listed', async t => {
  t.testdir()
  const copies: { name: string; copy: string; count: number }[] = []
  for (const { name, count, change } of changes) {
    const { copy } = await listedDay(t, name.replaceAll(/\W/g, '-'))
    await change(copy)
    t.match(await asked(copy, ofOne), { count, isByName: true }, name)
    copies.push({ name, copy, count })
  }
  const whole = { name: 'as it was', copy: (await listedDay(t, 'whole')).copy, count: QUOTES }
  const all = [whole, ...copies]
  const answers = await askedByPython(
    t,
    all.map(({ copy }) => copy),
  )
  for (const [place, { name, count }] of answers ? all.entries() : [])
    t.same(answers?.[place], { count, isByName: name !== whole.name }, `Python: ${name}`)
})

t.test('finished files for other catalogs come from the lists, unread', async t => {
  const { copy } = await listedDay(t)
  const nowMs = NEXT_DAY.nowMs()
  const files = await finishedFiles(copy, nowMs)
  t.equal(files.length, [...parquetFiles(copy)].length)
  const list = readFileSync(join(copy, LIST), 'utf8')
  const other = list.replace(/"sha256":"./g, '"sha256":"f')
  writeFileSync(join(copy, LIST), other)
  const asListed = files.map(file => ({ ...file, sha256: `f${file.sha256.slice(1)}` }))
  t.strictSame(await finishedFiles(copy, nowMs), asListed)
  rmSync(join(copy, 'lists'), { recursive: true })
  t.same(await finishedFiles(copy, nowMs), files)
})

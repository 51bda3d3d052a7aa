/**
 * Which Parquet files a question needs, by lists of finished days, against what a walk over all folders finds: lists that are
 * true, and lists that something happened to. A failure prints its seed.
 */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { FEW_INSTRUMENTS, revokeFinishedList, writeFinishedList, type ListedFile } from '../../formats/finished-list.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import { planFiles, plannedFiles, type FileQuestion } from '../../formats/planned-files.js'
import { replacedListPath, writeReplacedList } from '../../formats/replaced-files.js'
import { datesBetween } from '../../platform/utc-date.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { sha256 } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)
const DATES = ['2026-12-30', '2026-12-31', '2027-01-01'] as const
const EXCHANGES = ['deribit', 'okx'] as const
const TABLES = ['journal', 'trades', 'quote', 'coverage'] as const

interface File {
  path: string
  exchange: string
  table: string
  date: string
  recorder: string
  instruments: readonly string[]
}

const instrument = fc.constantFrom('A', 'B', 'C', 'D', 'E')
const file = fc
  .record({
    exchange: fc.constantFrom(...EXCHANGES),
    table: fc.constantFrom(...TABLES),
    date: fc.constantFrom(...DATES),
    recorder: fc.constantFrom('h1', 'h2_abcd1234'),
    kind: fc.constantFrom('option', 'spot'),
    instruments: fc.uniqueArray(instrument, { minLength: 1, maxLength: 3 }),
    isMany: fc.boolean(),
  })
  .map(({ kind, isMany, instruments, ...rest }): File => {
    const { exchange, table, date, recorder } = rest
    const partition = table === 'journal' ? 'kind=none/currency=none' : `kind=${kind}/currency=BTC`
    const path = `parquet/exchange=${exchange}/table=${table}/${partition}/date=${date}/day-${recorder}.parquet`
    const more = isMany ? Array.from({ length: FEW_INSTRUMENTS }, (_, at) => `B${at}`) : []
    return { ...rest, path, instruments: table === 'journal' ? [] : [...instruments, ...more] }
  })
/** Each exchange and recorder has a journal of each date, as those that recorded do. */
const files = fc
  .uniqueArray(file, { minLength: 2, maxLength: 12, size: 'max', selector: ({ path }) => path })
  .map(files => {
    const keys = new Set(files.map(({ exchange, date, recorder }) => `${exchange} ${date} ${recorder}`))
    const journals = [...keys].map((key): File => {
      const [exchange = '', date = '', recorder = ''] = key.split(' ')
      const path = `parquet/exchange=${exchange}/table=journal/kind=none/currency=none/date=${date}/day-${recorder}.parquet`
      return { path, exchange, date, recorder, table: 'journal', instruments: [] }
    })
    return [...new Map([...files, ...journals].map(file => [file.path, file])).values()]
  })

const textOf = ({ path }: File) => `content of ${path}`

function listedOf(file: File): ListedFile {
  const sorted = [...file.instruments].sort()
  const names =
    file.table === 'journal'
      ? {}
      : sorted.length <= FEW_INSTRUMENTS
        ? { instruments: sorted }
        : { instruments_between: [sorted[0] ?? '', sorted.at(-1) ?? ''] as [string, string] }
  const { path } = file
  const sums = { rows: 1, bytes: textOf(file).length, sha256: sha256(path), exchange_us: null, recv_us: null }
  return { path, ...sums, ...names, schema_version: 1, columns: 'c' }
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** All files with the lists of all who recorded. */
function build(files: readonly File[]): void {
  for (const name of ['parquet', 'lists', 'superseded']) rmSync(join(root, name), { recursive: true, force: true })
  for (const file of files) write(file.path, textOf(file))
  for (const date of DATES)
    for (const recorder of new Set(files.filter(file => file.date === date).map(({ recorder }) => recorder)))
      writeFinishedList(
        root,
        date,
        recorder,
        files.filter(f => f.date === date && f.recorder === recorder && f.table !== 'coverage').map(listedOf),
      )
}

const question = fc
  .record(
    {
      table: fc.constantFrom(...TABLES),
      exchange: fc.constantFrom(...EXCHANGES),
      dates: fc.tuple(fc.constantFrom(...DATES), fc.constantFrom(...DATES)),
      instruments: fc.uniqueArray(instrument, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: [] },
  )
  .map(({ dates, ...rest }): FileQuestion => {
    const [first = '', last = ''] = [...(dates ?? [])].sort()
    return dates ? { ...rest, dates: { first, last } } : rest
  })

const isAsked = (file: File, { table, exchange, dates }: FileQuestion) =>
  (table === undefined || file.table === table) &&
  (exchange === undefined || file.exchange === exchange) &&
  (!dates || (file.date >= dates.first && file.date <= dates.last))

const isOf = (file: File, { instruments }: FileQuestion) =>
  !instruments || file.instruments.length === 0 || instruments.some(name => file.instruments.includes(name))

/** What may befall a tree after its lists were written; the files that are there then. */
const disturbances = [
  'none',
  'a file is gone',
  'a file has other bytes',
  'a file came late',
  'another recorder brought its own',
  'a list was revoked',
  'a list is cut',
  'two lists contradict each other',
  'a file was replaced',
] as const

function disturb(files: readonly File[], what: (typeof disturbances)[number], at: number): readonly File[] {
  // Of what is derived no list speaks.
  const listed = files.filter(({ table }) => table !== 'coverage')
  const file = listed[at % Math.max(1, listed.length)]
  if (!file) return files
  const { path, date, recorder, exchange } = file
  const ofOther = recorder === 'h1' ? 'h2_abcd1234' : 'h1'
  const late = { ...file, path: path.replace(/day-.*/, '14-h1-r9-3.parquet') }
  switch (what) {
    case 'a file is gone':
      rmSync(join(root, path))
      return files.filter(one => one !== file)
    case 'a file has other bytes':
      write(path, `${textOf(file)} and more`)
      return files
    case 'a file came late': {
      // What comes late brings an entry of the journal with it, as every recorder does.
      const journal = `parquet/exchange=${exchange}/table=journal/kind=none/currency=none/date=${date}/14-h1-r9-3.parquet`
      write(late.path, '')
      write(journal, '')
      return [...files, late, { ...late, path: journal, table: 'journal', instruments: [] }].filter(
        (one, index, all) => all.findIndex(other => other.path === one.path) === index,
      )
    }
    case 'another recorder brought its own': {
      const journal = `parquet/exchange=${exchange}/table=journal/kind=none/currency=none/date=${date}/day-h3.parquet`
      write(journal, '')
      return [...files, { ...file, path: journal, table: 'journal', recorder: 'h3', instruments: [] }]
    }
    case 'a list was revoked':
      revokeFinishedList(root, date, recorder)
      return files
    case 'a list is cut':
      write(`lists/date=${date}/list-${recorder}.jsonl`, '{"format":1,"date":"2026-12-31","files":9}\n')
      return files
    case 'two lists contradict each other':
      writeFinishedList(root, date, ofOther, [{ ...listedOf(file), instruments: ['Z'], sha256: sha256('another') }])
      return files
    case 'a file was replaced': {
      const by = path.replace(/day-.*/, 'day-h9.parquet')
      write(by, '')
      writeReplacedList(root, replacedListPath(date, recorder), new Map([[path, [by]]]))
      return [...files.filter(one => one !== file), { ...file, path: by }]
    }
    default:
      return files
  }
}

for (const what of disturbances)
  t.test(`lists leave out files of other instruments and nothing else: ${what}`, t => {
    holds(
      t,
      fc.property(files, question, fc.nat(), (drawn, question, at) => {
        build(drawn)
        const files = disturb(drawn, what, at)
        const { files: planned, isFinished } = planFiles(root, question)
        const paths = planned.map(({ path }) => path)
        assert.deepEqual(paths, [...paths].sort(), 'sorted')
        assert.equal(new Set(paths).size, paths.length, 'each once')
        const asked = files.filter(file => isAsked(file, question))
        for (const path of paths)
          assert.ok(
            asked.some(file => file.path === path),
            `${path} was not asked for`,
          )
        const needed = asked.filter(file => isOf(file, question))
        for (const { path } of needed) assert.ok(paths.includes(path), `${path} is needed`)
        if (!question.instruments) assert.equal(paths.length, asked.length)
        if (!isFinished) return
        // Nothing more will come: each date that is asked for has a journal of each exchange.
        const exchanges =
          question.exchange === undefined ? new Set(files.map(({ exchange }) => exchange)) : [question.exchange]
        for (const date of datesBetween(question.dates?.first ?? '', question.dates?.last ?? '') ?? assert.fail())
          for (const exchange of exchanges)
            assert.ok(files.some(file => file.table === 'journal' && file.exchange === exchange && file.date === date))
      }),
      { numRuns: 60 },
    )
    t.end()
  })

t.test('where lists are true no more files are opened than an instrument needs', t => {
  const [day] = DATES
  const at = (table: string, name: string, instruments: string[]): File => {
    const partition = table === 'journal' ? 'kind=none/currency=none' : 'kind=option/currency=BTC'
    const path = `parquet/exchange=okx/table=${table}/${partition}/date=${day}/${name}.parquet`
    return { path, exchange: 'okx', table, date: day, recorder: 'h1', instruments }
  }
  const many = Array.from({ length: FEW_INSTRUMENTS + 1 }, (_, index) => `M${String(index).padStart(2, '0')}`)
  build([at('journal', 'day-h1', []), at('trades', 'day-h1', ['A', 'B']), at('quote', 'day-h1', many)])
  const names = (question: FileQuestion) => plannedFiles(root, question).map(({ folder }) => folder.table)
  t.same(names({ instruments: ['A'] }), ['journal', 'trades'], 'a table without instruments is read in any case')
  t.same(names({ instruments: ['M07x'] }), ['journal', 'quote'], 'between the first and the last of many')
  t.same(names({ instruments: ['L'] }), ['journal'])
  t.same(names({ instruments: ['L', 'B', 'M50'] }), ['journal', 'quote', 'trades'])
  t.same(
    names({ instruments: ['A'], below: `parquet/exchange=okx/table=quote` }),
    ['quote'],
    'below a folder no list is asked',
  )
  const asked = { table: 'trades', dates: { first: day, last: day } }
  t.equal(planFiles(root, asked).isFinished, true)
  t.equal(planFiles(root, { table: 'trades' }).isFinished, false, 'of a time without end')
  t.equal(
    planFiles(root, { ...asked, dates: { first: day, last: DATES[2] } }).isFinished,
    false,
    'later days have none',
  )
  t.equal([...parquetFiles(root)].length, 3)
  t.end()
})

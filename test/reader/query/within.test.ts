import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openDuckDb, sqlText } from '../../../platform/duckdb.js'
import { freshSettings } from '../../../reader/query/fresh-settings.js'
import { QuerySession } from '../../../reader/query/session.js'
import { withinDay, withinSpan, type Within } from '../../../reader/query/within.js'
import { parseTimeUs } from '../../../platform/moment.js'
import { compactOnce } from '../../compactor/fixtures/compacted.js'
import { sealJournal, sealQuotes } from '../../compactor/fixtures/listed-day.js'
import { commandHere } from '../../fixtures/command-here.js'

/** Quotes of each hour, at 15 and 16 o'clock of the first day, and at 2 and 3 of the next; the last are in raw alone. */
const QUOTES = 12
const [FIRST, SECOND] = ['2026-11-22', '2026-11-23'] as const

const made = (async () => {
  const root = t.testdir()
  sealJournal(root)
  for (const number of [1, 2, 12]) sealQuotes(root, number)
  await compactOnce(root)
  const folder = join(root, `parquet/exchange=deribit/table=coverage/kind=none/currency=none/date=${FIRST}`)
  mkdirSync(folder, { recursive: true })
  const connection = await openDuckDb()
  await connection.run(`COPY (SELECT 1 AS hours) TO ${sqlText(join(folder, 'day-vps-1.parquet'))}`)
  connection.closeSync()
  sealQuotes(root, 13)
  return root
})()

async function within(asked: Within | undefined, sql: string) {
  const root = await made
  const { fresh } = freshSettings(root, '')
  const session = await QuerySession.open({ root, fresh, within: asked, note: () => undefined })
  try {
    const [[found] = []] = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
    const [[view] = []] = (
      await session.connection.runAndReadAll(`SELECT string_agg(sql, ' ') FROM duckdb_views() WHERE NOT internal`)
    ).getRows()
    const dates = String(view).match(/date=\d{4}-\d\d-\d\d(?=\/)/g) ?? []
    return { found: Number(found), dates: [...new Set(dates)].sort().map(date => date.slice('date='.length)) }
  } finally {
    session.connection.closeSync()
    session.clear()
  }
}

const span = (from: string, to?: string) =>
  withinSpan({ fromUs: parseTimeUs(from), toUs: to === undefined ? Infinity : parseTimeUs(to) })

const COUNT = 'SELECT count(*) FROM quote'
const asked: readonly (readonly [what: string, Within | undefined, sql: string, found: number, dates: string[]])[] = [
  ['all', undefined, COUNT, 4 * QUOTES, [FIRST, SECOND]],
  ['a day', withinDay(FIRST), COUNT, 2 * QUOTES, [FIRST]],
  ['a day that is partly in raw alone', withinDay(SECOND), COUNT, 2 * QUOTES, [SECOND]],
  ['a day, and a statement about another', withinDay(FIRST), `${COUNT} WHERE date = '${SECOND}'`, 0, []],
  ['a day of a table of one exchange', withinDay(FIRST), 'SELECT count(*) FROM deribit.quote', 2 * QUOTES, [FIRST]],
  ['a day of all exchanges', withinDay(SECOND), 'SELECT count(*) FROM quotes_all', 2 * QUOTES, [SECOND]],
  ['an hour', span(`${FIRST}T15:00`, `${FIRST}T16:00`), COUNT, QUOTES, [FIRST]],
  ['microseconds', span(`${FIRST}T15:00:00.000005`, `${FIRST}T15:00:00.000008`), COUNT, 3, [FIRST]],
  ['from midnight, of which some may lie in the day before', span(SECOND), COUNT, 2 * QUOTES, [FIRST, SECOND]],
  ['from a time of which all is in raw alone', span(`${SECOND}T03:00`), COUNT, QUOTES, [SECOND]],
  ['up to a time', withinSpan({ fromUs: 0, toUs: parseTimeUs(SECOND) }), COUNT, 2 * QUOTES, [FIRST]],
  [
    'a table without times of receipt',
    span(`${FIRST}T15:00`, `${FIRST}T15:01`),
    'SELECT count(*) FROM coverage',
    1,
    [FIRST],
  ],
  ['gaps of another day', withinDay(SECOND), `SELECT count(*) FROM gaps WHERE from_ts < '${SECOND}'`, 0, []],
]

for (const [what, window, sql, found, dates] of asked)
  t.test(`asked within ${what}`, async t => {
    const answer = await within(window, sql)
    t.equal(answer.found, found)
    t.same(answer.dates, dates, 'of files of other days no view is made')
  })

t.test('the command takes a day, or two times', async t => {
  const at = ['query', '--path', await made, '--json', 'SELECT count(*)::INT AS n FROM quote']
  for (const [options, n] of [
    [['--date', FIRST], 2 * QUOTES],
    [['--from', `${FIRST}T16:00`, '--to', `${SECOND}T02:30`], 2 * QUOTES],
    [['--to', `${FIRST}T16:00`], QUOTES],
  ] as const)
    t.equal((await commandHere([...at, ...options])).stdout, `{"n":${n}}`)
})

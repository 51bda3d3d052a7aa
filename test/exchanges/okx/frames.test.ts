import t from 'tap'
import { compactOnce, query, filesBelow } from '../../compactor/fixtures/compacted.js'
import { rawLine, sealSegment } from '../../compactor/fixtures/segments.js'
import { okx } from '../../../exchanges/okx/main.js'
import { capturedFrames } from './captured.js'
import { quietSession } from './quiet-session.js'

/** Files of answers over HTTP, and the family that they are recorded under. */
const ANSWERS: Readonly<Record<string, string>> = { rest_trades: 'trades', rest_instruments: 'instrument_list' }
/**
 * What is captured and has no table: what clients sent, what connections say of themselves, and answers of methods that the
 * recorder does not ask, since the channels bring the same.
 */
const WITHOUT_TABLE = [
  'client_requests',
  'control',
  'rest_books',
  'rest_candles',
  'rest_index_tickers',
  'rest_mark_price',
]
const UNASKED = ['rest_open_interest']

t.test('every captured frame ends in the table of its family', async t => {
  const captured = capturedFrames(t)
  if (!captured) return
  const { session } = quietSession()
  const byFamily = new Map<string, Buffer[]>()
  let seq = 0
  const file = (family: string, frame: string) => {
    const lines = byFamily.get(family) ?? []
    lines.push(rawLine(frame, ++seq))
    byFamily.set(family, lines)
  }
  let pushed = 0
  for (const [name, frames] of captured) {
    if (WITHOUT_TABLE.includes(name) || UNASKED.includes(name)) continue
    for (const frame of frames) {
      const bytes = Buffer.from(frame)
      const answered = ANSWERS[name]
      const family = answered ?? session.data(bytes, seq) ?? session.control(bytes).family
      file(family, frame)
      if (answered === undefined && frame.includes('"data"')) pushed++
    }
  }
  session.closed()
  const dataDir = t.testdir()
  let number = 0
  for (const [family, lines] of byFamily) {
    const known = okx.families.find(each => each.name === family)
    t.ok(known, `${family} is a family`)
    sealSegment(dataDir, family, lines, { exchange: 'okx', number: ++number })
  }
  await compactOnce(dataDir)
  t.same(filesBelow(`${dataDir}/quarantine`), [], 'none is refused')
  let written = 0
  for (const { name } of okx.tables) {
    const files = `${dataDir}/parquet/exchange=okx/table=${name}/**/*.parquet`
    const [found] = await query(`SELECT count(*) AS files FROM glob('${files}')`)
    if (found?.['files'] === 0n) continue
    const [row] = await query(`SELECT count(DISTINCT seq) AS frames, count(*) AS rows, count(extra) AS extras,
      count(*) FILTER (kind = 'none') AS nowhere, any_value(extra) AS extra FROM read_parquet('${files}', hive_partitioning = true)`)
    t.comment(name, row)
    written += Number(row?.['frames'])
    if (!['platform_state'].includes(name)) t.equal(row?.['nowhere'], 0n, `${name}: kinds are known`)
  }
  const answers = Object.keys(ANSWERS).reduce((sum, name) => sum + (captured.get(name)?.length ?? 0), 0)
  const [left] = await query(
    `SELECT count(*) AS rows FROM read_parquet('${dataDir}/parquet/exchange=okx/table=frames/**/*.parquet')`,
  )
  t.comment('frames', left, { pushed, answers, written })
  t.equal(written, pushed + answers, 'each in one table')
})

import { join } from 'node:path'
import t from 'tap'
import { limitRows } from '../../../compactor/files/row-group.js'
import { compactOnce, query } from '../fixtures/compacted.js'
import { linesOf } from '../fixtures/samples/sample.js'
import { sealSegment } from '../fixtures/segments.js'

t.test('rows of a group are limited by number, by text and by the size of the file', async t => {
  t.equal(limitRows(20_000_000, 0, 0, 12), 98_304, 'about 100,000 at most')
  t.equal(limitRows(1_000_000, 0, 0, 12), 12_288, 'finer where a day has few')
  t.equal(limitRows(Infinity, 0, 0, 12), 98_304, 'not within an hour')
  t.equal(limitRows(Infinity, 0, 0, 50), 30_720, 'many columns')
  t.equal(limitRows(50_000, 2000, 2000, 12), 4096, 'wide rows')
  t.equal(limitRows(50_000, 10, 1_000_000, 12), 2048, 'a few that are wide')
})

t.test('groups of wide rows are small', async t => {
  const dataDir = t.testdir()
  const note = 'x'.repeat(60)
  const frame = (index: number) =>
    `{"id":${index},"result":[${Array.from({ length: 26 }, (_, n) => `"${note}${index * 31 + n}"`).join()}]}`
  sealSegment(dataDir, 'rpc', linesOf({ frames: Array.from({ length: 50_000 }, (_, index) => frame(index)) }))
  t.match(await compactOnce(dataDir), { segments: 1, failed: 0, rows: { frames: 50_000 } })
  const [groups] = await query(`SELECT max(row_group_num_rows)::INTEGER AS most
    FROM parquet_metadata('${join(dataDir, 'parquet/exchange=deribit/table=frames/**/*.parquet')}')`)
  t.ok(Number(groups?.['most']) <= 8192, JSON.stringify(groups))
})

import t from 'tap'
import type { FileRecord } from '../../formats/ledger.js'
import type { LocalFile } from '../../syncer/local-tree.js'
import { parseReceiptLines } from '../../formats/receipt.js'
import { indexReceipts } from '../../syncer/receipts.js'
import { planRetention } from '../../syncer/retention.js'
import { sha256 } from '../fixtures/shipped-tree.js'
import { parseShippedName } from '../../syncer/shipped-name.js'

const HOUR_MS = 3_600_000
const noon = Date.parse('2026-11-20T12:00:00Z')

const segmentOf = (hour: number) =>
  `raw/exchange=deribit/channel=trades/date=2026-11-20/hour=${hour}/20261120T${hour}0000Z-h-abc-${hour}.jsonl.zst`
const manifestOf = (hour: number) => segmentOf(hour).replace('.jsonl.zst', '.json')
const parquetOf = (hour: number) =>
  `parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=2026-11-20/${hour}-h-abc-${hour}.parquet`

interface World {
  files: Map<string, LocalFile>
  records: Map<string, FileRecord>
  receipts: string[]
}

/** Hours 12 and 13, everything verified and compacted, 100 bytes a file. */
function world(): World {
  const files = new Map<string, LocalFile>()
  const records = new Map<string, FileRecord>()
  for (const path of [12, 13].flatMap(hour => [segmentOf(hour), manifestOf(hour), parquetOf(hour)])) {
    const name = parseShippedName(path)
    if (!name) throw new Error(path)
    files.set(path, { ...name, path, bytes: 100, mtimeMs: noon })
    records.set(path, { path, bytes: 100, mtimeMs: noon, sha256: sha256(path), md5: '', state: 'verified', atMs: noon })
  }
  const receipts = [12, 13].map(hour => receipt(hour))
  return { files, records, receipts }
}

function receipt(hour: number, more: object = {}): string {
  const counts = { rows: 1, frames: 1, written: 1, quarantined: 0, known: 0 }
  const outputs = [{ path: parquetOf(hour), rows: 1, bytes: 100, sha256: sha256(parquetOf(hour)) }]
  return JSON.stringify({ segment: segmentOf(hour), sha256: sha256(segmentOf(hour)), ...counts, outputs, ...more })
}

const hourOf = (hour: number) => [segmentOf(hour), manifestOf(hour), parquetOf(hour)]
const setState = (path: string, state: FileRecord['state']) => (w: World) => {
  const record = w.records.get(path)
  if (record) w.records.set(path, { ...record, state })
}
/** One file of both hours, whose second segment is not verified yet. */
function rollUp(w: World): void {
  const day = parquetOf(12).replace(/[^/]*$/, 'day-h.parquet')
  const name = parseShippedName(day)
  if (!name) throw new Error(day)
  for (const path of [parquetOf(12), parquetOf(13)]) {
    w.files.delete(path)
    w.records.delete(path)
  }
  w.files.set(day, { ...name, path: day, bytes: 100, mtimeMs: noon })
  w.records.set(day, {
    path: day,
    bytes: 100,
    mtimeMs: noon,
    sha256: sha256(day),
    md5: '',
    state: 'verified',
    atMs: noon,
  })
  w.receipts = [12, 13].map(hour =>
    receipt(hour, { outputs: [{ path: day, rows: 1, bytes: 100, sha256: sha256(day) }] }),
  )
  setState(segmentOf(13), 'shipped')(w)
}
const keepHours = 10

const cases: {
  name: string
  change?: (w: World) => void
  nowHours?: number
  needBytes?: number
  gone: string[]
}[] = [
  { name: 'all old enough', nowHours: 12, gone: [...hourOf(12), ...hourOf(13)] },
  { name: 'one hour old enough', nowHours: 11, gone: hourOf(12) },
  { name: 'none old enough', nowHours: 10.9, gone: [] },
  { name: 'a little needed: the oldest first', nowHours: 3, needBytes: 1, gone: [segmentOf(12), manifestOf(12)] },
  { name: 'more needed', nowHours: 3, needBytes: 201, gone: hourOf(12) },
  { name: 'everything needed', nowHours: 3, needBytes: 1e9, gone: [...hourOf(12), ...hourOf(13)] },
  { name: 'an hour that has not ended stays, whatever is needed', nowHours: 1.5, needBytes: 1e9, gone: hourOf(12) },
  { name: 'a segment only shipped', change: setState(segmentOf(12), 'shipped'), gone: [] },
  { name: 'a segment whose copy was wrong', change: setState(segmentOf(12), 'wrong'), gone: [] },
  { name: 'its manifest only shipped', change: setState(manifestOf(12), 'shipped'), gone: [] },
  { name: 'its Parquet only shipped', change: setState(parquetOf(12), 'shipped'), gone: [] },
  { name: 'no record of it at all', change: w => w.records.delete(segmentOf(12)), gone: [] },
  { name: 'no record of its Parquet', change: w => w.records.delete(parquetOf(12)), gone: [] },
  {
    name: 'changed here since',
    change: w => {
      const file = w.files.get(segmentOf(12))
      if (file) w.files.set(segmentOf(12), { ...file, mtimeMs: noon + 1 })
    },
    gone: [],
  },
  { name: 'not compacted', change: w => w.receipts.shift(), gone: [] },
  {
    name: 'compacted from another content',
    change: w => (w.receipts[0] = receipt(12, { sha256: sha256('abc') })),
    gone: [],
  },
  {
    name: 'the Parquet that was verified is not the one of the receipt',
    change: w =>
      (w.receipts[0] = receipt(12, { outputs: [{ path: parquetOf(12), rows: 1, bytes: 100, sha256: sha256('abc') }] })),
    gone: [],
  },
  {
    name: 'compacted to nothing',
    change: w => (w.receipts[0] = receipt(12, { outputs: [] })),
    gone: hourOf(12),
  },
  {
    name: 'its Parquet went by retention before',
    change: w => w.files.delete(parquetOf(12)),
    gone: [segmentOf(12), manifestOf(12)],
  },
  {
    name: 'killed between segment and manifest',
    change: w => w.files.delete(segmentOf(12)),
    gone: [manifestOf(12), parquetOf(12)],
  },
  {
    name: 'a manifest whose segment is not sealed yet',
    change: w => {
      w.files.delete(segmentOf(12))
      w.records.delete(segmentOf(12))
    },
    gone: [parquetOf(12)],
  },
  {
    name: "a day's file while one of its segments is here",
    change: rollUp,
    nowHours: 24,
    gone: hourOf(12).slice(0, 2),
  },
  { name: 'a segment without manifest', change: w => w.files.delete(manifestOf(12)), gone: [] },
]

for (const { name, change, nowHours = 11, needBytes = 0, gone } of cases) {
  t.test(name, t => {
    const w = world()
    change?.(w)
    const answer = planRetention({
      files: [...w.files.values()].reverse(),
      recordOf: path => w.records.get(path),
      receipts: indexReceipts(parseReceiptLines(w.receipts.join('\n'))),
      nowMs: noon + nowHours * HOUR_MS,
      keepMs: keepHours * HOUR_MS,
      needBytes,
    })
    t.same(
      answer.retire.map(({ path }) => path),
      gone,
    )
    t.equal(answer.freedBytes, 100 * gone.length)
    t.end()
  })
}

t.test('says why a file stays', t => {
  const w = world()
  w.receipts.shift()
  setState(segmentOf(13), 'shipped')(w)
  const { kept } = planRetention({
    files: [...w.files.values()],
    recordOf: path => w.records.get(path),
    receipts: indexReceipts(parseReceiptLines(w.receipts.join('\n'))),
    nowMs: noon + 100 * HOUR_MS,
    keepMs: 0,
    needBytes: 0,
  })
  t.same(
    kept,
    new Map([
      ['not compacted', 1],
      ['not verified', 1],
      ['segment still here', 4],
    ]),
  )
  t.end()
})

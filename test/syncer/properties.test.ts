/** What must hold of what the syncer is about to do, whatever lies here and there; a failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { FileRecord, ShipState } from '../../formats/ledger.js'
import { withState } from '../../formats/raw-path.js'
import type { Receipt } from '../../formats/receipt.js'
import type { LocalFile } from '../../syncer/local-tree.js'
import { batchesOf, isCurrent, planDate } from '../../syncer/plan.js'
import { indexReceipts } from '../../syncer/receipts.js'
import { planRetention, type RetentionQuestion } from '../../syncer/retention.js'
import { parseShippedName } from '../../syncer/shipped-name.js'
import { HOUR_MS, sha256 } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const DAY_MS = Date.parse('2026-11-20T00:00:00Z')
const DATE = '2026-11-20'
const originOf = (n: number) => `h-abc-${n}`
const segmentAt = (hour: number, n: number) =>
  `raw/exchange=deribit/channel=trades/date=${DATE}/hour=${two(hour)}/20261120T${two(hour)}0000Z-${originOf(n)}.jsonl.zst`
const parquetAt = (hour: number, n: number) =>
  `parquet/exchange=deribit/table=trades/kind=option/currency=BTC/date=${DATE}/${two(hour)}-${originOf(n)}.parquet`
const two = (n: number) => String(n).padStart(2, '0')

/** A segment, its manifest, and what was made of it: which of them are here, and what is known of each at the target. */
const known = fc.option(
  fc.record({
    state: fc.constantFrom<ShipState>('shipped', 'verified', 'verified', 'verified', 'wrong', 'missing'),
    isCurrent: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
    atH: fc.integer({ min: 0, max: 30 }),
  }),
  { nil: undefined, freq: 8 },
)
const part = fc.record({ isHere: fc.integer({ min: 0, max: 4 }).map(n => n > 0), known, bytes: fc.nat(1000) })
const hourOfFiles = fc.record({
  hour: fc.integer({ min: 0, max: 23 }),
  ...{ segment: part, manifest: part, parquet: part },
  receipt: fc.constantFrom('right', 'right', 'right', 'of another content', 'none'),
})
const world = fc.array(hourOfFiles, { maxLength: 8 }).map(hours => {
  const files: LocalFile[] = []
  const records = new Map<string, FileRecord>()
  const receipts: Receipt[] = []
  hours.forEach(({ hour, segment, manifest, parquet, receipt }, n) => {
    const path = segmentAt(hour, n)
    const made = parquetAt(hour, n)
    for (const [at, { isHere, known, bytes }] of [
      [path, segment],
      [withState(path, 'manifest'), manifest],
      [made, parquet],
    ] as const) {
      const name = parseShippedName(at)
      assert.ok(name, at)
      if (isHere) files.push({ ...name, path: at, bytes, mtimeMs: DAY_MS })
      if (known)
        records.set(at, {
          ...{ path: at, bytes, mtimeMs: known.isCurrent ? DAY_MS : DAY_MS - 1, sha256: sha256(at), md5: '' },
          ...{ state: known.state, atMs: DAY_MS + known.atH * HOUR_MS },
        })
    }
    if (receipt === 'none') return
    receipts.push({
      ...{ segment: path, sha256: receipt === 'right' ? sha256(path) : sha256('x'), schema_version: 1 },
      outputs: [{ path: made, rows: 1, bytes: parquet.bytes, sha256: sha256(made) }],
      ...{ rows: 1, frames: 1, written: 1, duplicates: 0, double_rows: 0, quarantined: 0, known: 0 },
    })
  })
  return { files, records, receipts: indexReceipts(receipts) }
})

t.test('each file of a date is shipped, compared, waited for or done, and nothing is forgotten', t => {
  holds(
    t,
    fc.property(world, fc.integer({ min: 0, max: 40 }), fc.nat(5), ({ files, records }, nowH, graceH) => {
      const nowMs = DAY_MS + nowH * HOUR_MS
      const plan = planDate(files, path => records.get(path), nowMs, graceH * HOUR_MS)
      const here = new Set(files.map(({ path }) => path))
      const named = [
        ...plan.ship.map(({ file }) => file.path),
        ...[...plan.verify, ...plan.waiting, ...plan.unproven].map(({ path }) => path),
      ]
      assert.equal(new Set(named).size, named.length, 'each once')
      const rest = files.filter(({ path }) => !named.includes(path))
      const done = rest.filter(file => {
        const record = records.get(file.path)
        return isCurrent(file, record) && record.state === 'verified'
      })
      assert.equal(done.length, plan.verified)
      for (const file of rest)
        assert.ok(done.includes(file) || (file.kind === 'manifest' && !here.has(withState(file.path, 'sealed'))))
      for (const { atMs } of plan.verify)
        assert.ok(Math.abs(nowMs - atMs) >= graceH * HOUR_MS, 'not within its grace period')
      for (const { file } of plan.ship)
        if (file.kind === 'segment') assert.ok(here.has(withState(file.path, 'manifest')), 'only what can be proven')
      const hours = plan.ship.map(({ file }) => file.hourEndMs)
      assert.deepEqual(hours, [...hours].sort((a, b) => a - b), 'the oldest first') // prettier-ignore
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('nothing is deleted here that is not verified there as it is here, whatever room is wanted', t => {
  const question = fc.record({
    world,
    nowH: fc.integer({ min: 0, max: 60 }),
    keepH: fc.integer({ min: 0, max: 30 }),
    needBytes: fc.oneof(fc.constant(0), fc.nat(5000)),
  })
  holds(
    t,
    fc.property(question, ({ world: { files, records, receipts }, nowH, keepH, needBytes }) => {
      const asked: RetentionQuestion = {
        ...{ files, receipts, needBytes, nowMs: DAY_MS + nowH * HOUR_MS, keepMs: keepH * HOUR_MS },
        recordOf: path => records.get(path),
      }
      const { retire, freedBytes, kept } = planRetention(asked)
      const isSafe = (path: string) => records.get(path)?.state === 'verified'
      const left = new Set(files.map(({ path }) => path))
      for (const [at, file] of retire.entries()) {
        const { path, kind, hourEndMs } = file
        assert.ok(left.delete(path), `${path} once`)
        assert.ok(hourEndMs <= asked.nowMs, 'its hour has ended')
        const record = records.get(path)
        assert.ok(record?.state === 'verified' && isCurrent(file, record), `${path} is verified as it is`)
        if (kind === 'segment') {
          assert.equal(retire[at + 1]?.path, withState(path, 'manifest'), 'its manifest goes with it')
          const receipt = receipts.bySegment.get(path)
          assert.equal(receipt?.sha256, record.sha256, 'it is converted')
          assert.ok(receipt.outputs.every(output => isSafe(output.path)), 'what came of it is safe') // prettier-ignore
        } else if (kind === 'manifest') assert.ok(!left.has(withState(path, 'sealed')), 'after its segment')
        else
          for (const segment of receipts.byOutput.get(path)?.segments ?? [])
            assert.ok(!left.has(segment), 'after what it was made from')
      }
      const sizeOf = (list: readonly LocalFile[]) => list.reduce((sum, { bytes }) => sum + bytes, 0)
      assert.equal(freedBytes, sizeOf(retire))
      const early = retire.filter(({ hourEndMs }) => hourEndMs + asked.keepMs > asked.nowMs)
      const last = early.at(-1)?.kind === 'manifest' ? early.slice(-2) : early.slice(-1)
      const before = retire.slice(0, retire.indexOf(last[0] ?? ({} as LocalFile)))
      if (last.length > 0) assert.ok(sizeOf(before) < needBytes, 'no more than is needed goes before its time')
      const more = planRetention({ ...asked, needBytes: needBytes + 500 })
      assert.deepEqual(more.retire.slice(0, retire.length), retire, 'who needs more deletes the same, and then more')
      const doubtful = planRetention({ ...asked, recordOf: () => undefined })
      assert.deepEqual(doubtful.retire, [], 'a target of which nothing is known frees nothing')
      for (const count of kept.values()) assert.ok(count > 0)
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('batches hold all items in their order, and are as large as they may be', t => {
  const limits = fc.record({ files: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 200 }) })
  holds(
    t,
    fc.property(fc.array(fc.nat(100)), limits, fc.boolean(), (items, limits, grow) => {
      const batches = [...batchesOf(items, bytes => bytes, limits, grow)]
      assert.deepEqual(batches.flat(), items)
      for (const [n, batch] of batches.entries()) {
        const part = grow ? Math.min(1, 2 ** n / 8) : 1
        const sum = (list: readonly number[]) => list.reduce((sum, bytes) => sum + bytes, 0)
        assert.ok(batch.length === 1 || (batch.length <= part * limits.files && sum(batch) <= part * limits.bytes))
        const next = batches[n + 1]?.[0]
        if (next !== undefined)
          assert.ok(
            batch.length + 1 > part * limits.files || sum(batch) + next > part * limits.bytes,
            'there was no room',
          )
      }
    }),
  )
  t.end()
})

t.test('a name that is changed by a letter is shipped as what it says, or not at all', t => {
  const path = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.nat(99))
    .chain(([hour, n]) =>
      fc.constantFrom(
        segmentAt(hour, n),
        withState(segmentAt(hour, n), 'manifest'),
        parquetAt(hour, n),
        `lists/date=${DATE}/list-h.jsonl`,
        `superseded/date=${DATE}/superseded-h.jsonl`,
        `reports/date=${DATE}/report-h.html`,
      ),
    )
  const letter = fc.constantFrom('/', '..', '.', '=', '0', '9', 'a', 'Z', ' ', '\n', '\0', 'ü', '')
  holds(
    t,
    fc.property(path, fc.nat(), letter, (path, at, letter) => {
      assert.equal(parseShippedName(path)?.date, DATE)
      const place = at % path.length
      const read = parseShippedName(path.slice(0, place) + letter + path.slice(place + 1))
      if (!read) return
      const changed = path.slice(0, place) + letter + path.slice(place + 1)
      assert.ok(!changed.split('/').some(part => part.startsWith('.') || /[\0\n ü]/.test(part)), changed)
      assert.ok(changed.includes(`date=${read.date}/`))
      assert.ok(read.hourEndMs > Date.parse(read.date) && read.hourEndMs <= Date.parse(read.date) + 24 * HOUR_MS)
    }),
    { numRuns: 2000 },
  )
  t.end()
})

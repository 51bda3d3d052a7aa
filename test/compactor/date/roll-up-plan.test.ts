/** Which files of a date become one, and what receipts say afterwards, for any files; a failure prints its seed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { planRollUps, receiptsAfter, type Rolled } from '../../../compactor/date/roll-up.js'
import { dailyName, hourlyName, parseParquetName } from '../../../formats/parquet-path.js'
import type { ParquetFile } from '../../../formats/parquet-tree.js'
import type { Receipt } from '../../../formats/receipt.js'
import { sha256 } from '../../fixtures/shipped-tree.js'
import { holds } from '../../fixtures/holds.js'

const DATE = '2026-11-20'
const file: fc.Arbitrary<ParquetFile> = fc
  .record({
    table: fc.constantFrom('trades', 'quote'),
    kind: fc.constantFrom('option', 'future'),
    host: fc.constantFrom('vps-1', 'vps-2'),
    hour: fc.integer({ min: 0, max: 3 }),
    number: fc.integer({ min: 1, max: 3 }),
    isDay: fc.integer({ min: 0, max: 5 }).map(n => n === 0),
  })
  .map(({ table, kind, host, hour, number, isDay }) => {
    const path = `parquet/exchange=x/table=${table}/kind=${kind}/currency=BTC/date=${DATE}`
    const startedMs = Date.parse(DATE) + hour * 3_600_000
    const segment = { exchange: 'x', channel: table, startedMs, host, run: 'r1', number }
    const file = isDay ? dailyName(host) : hourlyName(segment)
    const name = parseParquetName(file)
    assert.ok(name)
    return {
      path: `${path}/${file}`,
      file,
      name,
      folder: { path, exchange: 'x', table, kind, currency: 'BTC', date: DATE },
    }
  })
const files = fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 25 })

t.test('each known file is in one roll-up, with all of its partition and host, and none is made of one', t => {
  holds(
    t,
    fc.property(files, fc.infiniteStream(fc.integer({ min: 0, max: 4 })), (files, dice) => {
      const known = new Set(files.filter(() => dice.next().value !== 0).map(({ path }) => path))
      const plan = planRollUps(files, path => known.has(path))
      const rolled = plan.flatMap(({ folder, files }) => files.map(file => `${folder}/${file}`))
      assert.equal(new Set(rolled).size, rolled.length)
      for (const path of rolled) assert.ok(known.has(path))
      for (const { files } of plan) assert.ok(files.length > 1)
      const keys = plan.map(({ folder, host }) => `${folder} ${host}`)
      assert.equal(new Set(keys).size, keys.length)
      for (const { path, folder, name } of files) {
        const own = files.filter(
          one => one.folder.path === folder.path && one.name.host === name.host && known.has(one.path),
        )
        assert.equal(rolled.includes(path), known.has(path) && own.length > 1, path)
      }
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('receipts of what was rolled up name the new file and keep their rows; all others stay', t => {
  holds(
    t,
    fc.property(files, fc.array(fc.nat(1000), { minLength: 25, maxLength: 25 }), (files, rows) => {
      const receipts = files.map(({ path }, n): Receipt => ({
        ...{ segment: `raw/${n}`, sha256: sha256(path), frames: 1, written: 1, quarantined: 0, known: 0 },
        ...{ rows: rows[n] ?? 0, duplicates: 0, double_rows: 0, schema_version: 1 },
        outputs: [{ path, rows: rows[n] ?? 0, bytes: 1, sha256: sha256(path) }],
      }))
      const rolled = planRollUps(files, () => true).map((rollUp): Rolled => {
        const name = dailyName(rollUp.host)
        return { rollUp, name, rows: 0, bytes: 7, sha256: sha256(`${rollUp.folder}/${name}`), replaces: rollUp.files }
      })
      const after = receiptsAfter(receipts, rolled)
      const inPlan = new Set(rolled.flatMap(({ rollUp: { folder, files } }) => files.map(file => `${folder}/${file}`)))
      const changed = receipts.filter(({ outputs }) => outputs.some(({ path }) => inPlan.has(path)))
      assert.deepEqual(
        after.map(({ segment, outputs: [output] }) => [segment, output?.rows, output?.bytes]),
        changed.map(({ segment, rows }) => [segment, rows, 7]),
      )
      for (const [n, { outputs }] of after.entries())
        for (const { path, sha256: sum } of outputs) {
          assert.equal(sum, sha256(path), 'the checksum is that of the new file')
          assert.equal(path.slice(0, path.lastIndexOf('/')), changed[n]?.outputs[0]?.path.replace(/\/[^/]*$/, ''))
        }
    }),
  )
  t.end()
})

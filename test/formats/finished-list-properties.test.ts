/** Lists of finished days and the Delta log made of them, for any files; a failure prints its seed. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  finishedListPath,
  finishedListsOf,
  isListWhole,
  listedDates,
  readFinishedList,
  revokeFinishedList,
  writeFinishedList,
  type ListedFile,
} from '../../formats/finished-list.js'
import { deltaLog } from '../../reader/finished-days/delta-log.js'
import { sha256 } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const DATE = '2026-11-20'
const us = fc.integer({ min: 0, max: 2 ** 52 })
const times = fc.option(fc.tuple(us, us), { nil: null })
const file: fc.Arbitrary<ListedFile> = fc
  .record({
    kind: fc.stringMatching(/^[a-z]{1,8}$/),
    table: fc.stringMatching(/^[a-z_]{1,12}$/),
    rows: fc.nat(),
    bytes: fc.nat(),
    ...{ exchange_us: times, recv_us: times },
    instruments: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
  })
  .map(({ kind, table, ...rest }) => {
    const path = `parquet/exchange=x/table=${table}/kind=${kind}/date=${DATE}/day-h.parquet`
    return { path, sha256: sha256(path), schema_version: 1, columns: 'abc', ...rest }
  })
const files = fc.uniqueArray(file, { selector: ({ path }) => path, maxLength: 12 })
const byPath = (a: ListedFile, b: ListedFile) => (a.path < b.path ? -1 : 1)

t.test('a list says what was written, in the order of paths, and cut anywhere it says nothing', t => {
  const root = t.testdir()
  const list = finishedListPath(DATE, 'h')
  holds(
    t,
    fc.property(files, fc.nat(), (files, at) => {
      writeFinishedList(root, DATE, 'h', files)
      assert.deepEqual(readFinishedList(root, list), [...files].sort(byPath))
      assert.deepEqual(finishedListsOf(root, DATE), [list])
      assert.deepEqual(listedDates(root), [DATE])
      const of = (table: string) => (path: string) => path.includes(`/table=${table}/`)
      for (const { path } of files) {
        const table = /table=(\w+)/.exec(path)?.[1] ?? ''
        const asked = files.filter(({ path }) => of(table)(path)).sort(byPath)
        assert.deepEqual(readFinishedList(root, list, of(table)), asked)
      }
      const whole = readFileSync(join(root, list))
      writeFileSync(join(root, list), whole.subarray(0, at % whole.length))
      assert.equal(readFinishedList(root, list), undefined)
      assert.equal(isListWhole(root, list), false)
      writeFileSync(join(root, list), whole)
      revokeFinishedList(root, DATE, 'h')
      assert.equal(readFinishedList(root, list), undefined, 'revoked')
      assert.equal(isListWhole(root, list), true)
    }),
    { numRuns: 60 },
  )
  t.end()
})

t.test('a Delta log names each file once, and the same files make the same text', t => {
  const columns = [
    { name: 'price', type: 'DOUBLE' },
    { name: 'date', type: 'DATE' },
  ]
  const location = fc.constantFrom('/mnt/nas', 's3://bucket/edgetape', 's3://bucket/edgetape/')
  holds(
    t,
    fc.property(files, location, (files, location) => {
      const finished = files.map(({ path, bytes, sha256 }) => {
        const [, table = '', kind = ''] = /table=(\w+)\/kind=(\w+)/.exec(path) ?? []
        return { path, exchange: 'x', table, kind, currency: 'BTC', date: DATE, bytes, sha256 }
      })
      const log = deltaLog(columns, finished, location)
      assert.equal(deltaLog(columns, finished, location), log)
      const added = log
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as { add?: { path: string; size: number; partitionValues: object } })
        .flatMap(({ add }) => add ?? [])
      assert.deepEqual(
        added.map(({ path, size, partitionValues }) => ({
          path: path.slice(path.indexOf('parquet/')),
          size,
          partitionValues,
        })),
        finished.map(({ path, bytes, kind }) => ({
          ...{ path, size: bytes },
          partitionValues: { kind, currency: 'BTC', date: DATE },
        })),
      )
      for (const { path } of added) assert.match(path, /^(?:file:\/\/\/mnt\/nas|s3:\/\/bucket\/edgetape)\/parquet\//)
      const ids = new Set(
        [log, deltaLog(columns, finished.slice(1), location)].map(text => /"id":"([^"]+)"/.exec(text)?.[1]),
      )
      assert.equal(ids.size, finished.length > 0 ? 2 : 1, 'other files, another table')
    }),
  )
  t.end()
})

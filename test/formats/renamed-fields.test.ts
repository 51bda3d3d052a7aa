/** What 0.1.0 left in `state/`, by the names that it used. */
import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { finishSwitch } from '../../compactor/date/folder-switch.js'
import { compactorState, parseReceiptLines, readReceiptsOf } from '../../formats/receipt.js'
import { readReplaced, switchPath } from '../../formats/replacement.js'
import { sha256 } from '../fixtures/shipped-tree.js'

const DATE = '2026-11-20'
const counts = {
  rows: 3,
  frames: 9,
  tabled: 4,
  doubles: 3,
  double_rows: 5,
  quarantined: 1,
  known: 1,
  schema_version: 1,
}
const receipt = { segment: 'raw/one', sha256: sha256('one'), outputs: [], ...counts }

t.test('a receipt that says tabled and doubles is one', t => {
  const { doubles, ...older } = receipt
  const read = parseReceiptLines([receipt, older].map(line => JSON.stringify(line)).join('\n'))
  t.match(read, { 0: { written: 4, duplicates: doubles, double_rows: 5 }, 1: { written: 4, duplicates: 0 }, length: 2 })
  t.notOk('tabled' in (read[0] ?? {}), 'by the new names alone')
  t.end()
})

t.test('a switch of folders that was cut off before an upgrade is finished after it', t => {
  const dataDir = t.testdir({})
  mkdirSync(compactorState(dataDir), { recursive: true })
  const superseded = [{ by: ['parquet/day'], paths: ['parquet/14'] }]
  writeFileSync(switchPath(dataDir), JSON.stringify({ date: DATE, folders: [], receipts: [receipt], superseded }))
  finishSwitch(dataDir)
  t.same([...readReplaced(dataDir, DATE)], [['parquet/14', ['parquet/day']]])
  t.match(readReceiptsOf(dataDir, DATE).get('raw/one'), { written: 4, duplicates: 3 })
  t.end()
})

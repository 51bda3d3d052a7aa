/** What the syncer knows of the target, over appends, torn ends and new starts; a failure prints its seed. */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import {
  DateLedger,
  endAccount,
  ledgerDates,
  readAccount,
  writeAccount,
  type FileRecord,
} from '../../formats/ledger.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { sha256 } from '../fixtures/shipped-tree.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)
const DATE = '2026-11-22'
/** What a crash may leave at the end of a file of lines. */
const torn = fc.constantFrom('', '{"path":"raw/x","byt', '{}', 'null\n', '\u0000\u0000', '[1,2]\n', '{"path":1}\n')
const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')

const record = fc.record(
  {
    path: name.map(name => `raw/${name}.jsonl.zst`),
    bytes: fc.nat(),
    mtimeMs: fc.nat(),
    sha256: name.map(sha256),
    md5: fc.constant('0'.repeat(32)),
    state: fc.constantFrom<FileRecord['state']>('shipped', 'verified', 'wrong', 'missing'),
    atMs: fc.nat(),
  },
  { noNullPrototype: true },
)

t.test('a ledger knows the last word on each file, over torn ends, new starts and being written anew', t => {
  const folder = join(root, 'state/syncer/ledger-0a')
  const step = fc.oneof(
    fc.record({ append: fc.array(record, { maxLength: 40 }) }),
    fc.record({ tear: torn }),
    fc.record({ open: fc.constantFrom('to write', 'to read') }),
  )
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 12 }), steps => {
      rmSync(folder, { recursive: true, force: true })
      let ledger = new DateLedger(folder, DATE)
      const known = new Map<string, FileRecord>()
      for (const step of steps) {
        if ('append' in step) {
          ledger.append(step.append)
          for (const one of step.append) known.set(one.path, one)
        } else if ('tear' in step) {
          mkdirSync(folder, { recursive: true })
          appendFileSync(join(folder, `${DATE}.jsonl`), step.tear)
        } else ledger = new DateLedger(folder, DATE, step.open === 'to read')
        assert.equal(ledger.size, known.size)
        for (const [path, one] of known) assert.deepEqual(ledger.get(path), one)
        const isVerified = [...known.values()].filter(({ state }) => state === 'verified')
        assert.deepEqual(ledger.verified().sort(), isVerified.map(({ path }) => path).sort())
      }
      const lines = existsSync(join(folder, `${DATE}.jsonl`)) ? readFileSync(join(folder, `${DATE}.jsonl`), 'utf8') : ''
      if (new DateLedger(folder, DATE).size === 0) return
      // It stays as short as what it says, however often each file changed its state.
      const after = readFileSync(join(folder, `${DATE}.jsonl`), 'utf8').split('\n').length
      assert.ok(after <= Math.max(lines.split('\n').length, 1.5 * known.size + 200))
      assert.deepEqual(ledgerDates(folder), [DATE])
    }),
    { numRuns: 80 },
  )
  t.end()
})

t.test('a ledger of many words on few files is written anew once, and only by who may write', t => {
  const folder = join(root, 'state/syncer/ledger-0b')
  const path = join(folder, `${DATE}.jsonl`)
  const one = { bytes: 1, mtimeMs: 2, sha256: '', md5: '', state: 'shipped', atMs: 3 } as const
  const records = Array.from({ length: 400 }, (_, at) => ({ ...one, path: `raw/${at % 3}`, atMs: at }))
  new DateLedger(folder, DATE).append(records)
  new DateLedger(folder, DATE, true)
  t.equal(readFileSync(path, 'utf8').split('\n').length, 401, 'as it was, for who reads')
  const ledger = new DateLedger(folder, DATE)
  t.equal(readFileSync(path, 'utf8').split('\n').length, 4)
  t.same(
    [0, 1, 2].map(at => ledger.get(`raw/${at}`)?.atMs),
    [399, 397, 398],
  )
  ledger.remove()
  t.same([existsSync(path), ledger.size, ledgerDates(folder)], [false, 0, []])
  ledger.append(records.slice(0, 1))
  t.equal(new DateLedger(folder, DATE).size, 1, 'and a date may come back')
  t.end()
})

t.test('which ledgers count is known to the last word, and to nobody once it was ended or is damaged', t => {
  const state = join(root, 'state/syncer')
  mkdirSync(state, { recursive: true })
  t.equal(readAccount(state), undefined)
  endAccount(state)
  writeAccount(state, { target: 'nas:/x "y"', ledger: 'ledger-0a1b' })
  writeAccount(state, { target: '/mnt/nas', ledger: 'ledger-ff' })
  t.same(readAccount(state), { target: '/mnt/nas', ledger: 'ledger-ff' })
  for (const text of ['', '{"target":"/mnt/nas"}', '{"target":"x","ledger":"../ledger-0a"}', '{"target":"x","led']) {
    writeFileSync(join(state, 'current.json'), text)
    t.equal(readAccount(state), undefined, text)
  }
  endAccount(state)
  t.notOk(existsSync(join(state, 'current.json')))
  t.end()
})

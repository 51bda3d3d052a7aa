import { appendFileSync, readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { readStatus } from '../../formats/status.js'
import { quarantinePath } from '../../formats/quarantine-tree.js'
import { readReceipts, compactorState, type Receipt } from '../../formats/receipt.js'
import { lineHead } from '../../formats/raw-line.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { compactOnce, hashes, rowsOf } from './fixtures/compacted.js'
import { rawLine, sealSegment, START_US } from './fixtures/segments.js'
import { matchAll } from '../fixtures/match-all.js'

const quote = (price: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"timestamp":1790133840887,"instrument_name":"BTC-PERPETUAL","best_bid_price":${price}}}}`
const lines = [rawLine(quote('1.5'), 1), rawLine(quote('2.5'), 2)]

/** Makes it look as if an earlier version had not understood the segment's second line. */
function forgetSecondLine(dataDir: string, segment: string): string {
  const receipt = readReceipts(dataDir).get(segment)
  const name = parseSegmentPath(segment)?.name
  if (!receipt || !name) throw new Error('no receipt')
  const told: Receipt = { ...receipt, written: 1, rows: 1, quarantined: 1 }
  appendFileSync(join(compactorState(dataDir), 'done-2026-11-22.jsonl'), `${JSON.stringify(told)}\n`)
  const quarantine = join(dataDir, quarantinePath(segment, name))
  mkdirSync(dirname(quarantine), { recursive: true })
  writeFileSync(quarantine, `${JSON.stringify({ reason: 'not understood', segment, line: 2, raw: '' })}\n`)
  return quarantine
}

t.test('lines in quarantine become rows once they are understood, and only when that is asked for', async t => {
  const dataDir = t.testdir()
  const { segment } = sealSegment(dataDir, 'quote', lines)
  const other = sealSegment(dataDir, 'quote', [rawLine(quote('3.5'), 3)], { number: 2 })
  await compactOnce(dataDir)
  const whole = hashes(join(dataDir, 'parquet'))
  const quarantine = forgetSecondLine(dataDir, segment)
  t.match(await compactOnce(dataDir), { segments: 0 }, 'not by itself')
  t.match(await compactOnce(dataDir, { retryQuarantine: true }), { segments: 1, failed: 0, quarantined: 0 })
  t.match(readReceipts(dataDir).get(segment), { written: 2, rows: 2, quarantined: 0 })
  t.ok(readReceipts(dataDir).has(other.segment))
  t.throws(() => readFileSync(quarantine), { code: 'ENOENT' }, 'nothing is left in quarantine')
  t.same(hashes(join(dataDir, 'parquet')), whole, 'the same files, byte for byte')
  t.match(await compactOnce(dataDir, { retryQuarantine: true }), { segments: 0 }, 'and nothing to do after')
})

t.test('what is still not understood stays in quarantine, the same; the status says how many', async t => {
  const dataDir = t.testdir()
  sealSegment(dataDir, 'quote', [...lines, Buffer.from('{"torn')])
  await compactOnce(dataDir)
  const before = { ...hashes(join(dataDir, 'parquet')), ...hashes(join(dataDir, 'quarantine')) }
  rmSync(join(dataDir, 'state', 'compactor.json'))
  t.match(await compactOnce(dataDir, { retryQuarantine: true }), { segments: 1, failed: 0, quarantined: 1 })
  t.same({ ...hashes(join(dataDir, 'parquet')), ...hashes(join(dataDir, 'quarantine')) }, before)
  t.match(readStatus(dataDir, 'compactor'), { quarantined: 1 })
})

t.test('the journal says what went to quarantine, for as long as it is there', async t => {
  const dataDir = t.testdir()
  const { segment } = sealSegment(dataDir, 'quote', [...lines, Buffer.from('{"torn'), Buffer.from('{"torn')])
  const entry = Buffer.from(`${lineHead(START_US + 1, 'journal', 1, 'frame')}{"event":"started"}}`)
  const journal = sealSegment(dataDir, 'journal', [entry, Buffer.from('[]')], { number: 2 })
  t.match(await compactOnce(dataDir), { segments: 2, failed: 0, quarantined: 3, rows: { quote: 2, journal: 3 } })
  const rows = await rowsOf(dataDir, 'journal')
  const wanted = { event: 'quarantined', conn: 'compactor', recv_ts: BigInt(START_US), host: 'vps-1', run: 'r1' }
  matchAll(
    t,
    rows.filter(({ event }) => event === 'quarantined').sort((a, b) => Number(a['seq']) - Number(b['seq'])),
    [
      { ...wanted, channel: 'quote', frames: 2n, reason: 'not JSON' },
      { ...wanted, channel: 'journal', frames: 1n },
    ],
  )
  t.match(JSON.parse(String(rows.find(({ channel }) => channel === 'quote')?.['detail'])), {
    segment,
    reasons: { 'not JSON': 2 },
  })
  t.equal(rows.filter(({ event }) => event === 'started').length, 1, journal.segment)
  const { outputs, frames, written, quarantined } = readReceipts(dataDir).get(segment) ?? {}
  t.match({ frames, written, quarantined }, { frames: 4, written: 2, quarantined: 2 })
  t.ok(outputs?.some(({ path }) => path.includes('/table=journal/')))
})

import t from 'tap'
import { gapsOf } from '../../../formats/journal/gaps.js'
import { journalEntry } from '../../fixtures/journal-entry.js'

type Entry = [run: string, event: 'trade_hole' | 'backfill', from: number, to: number, more?: object]

/** Whether each hole is whole at the end, in the order in which they were found. */
function healed(...entries: Entry[]): (boolean | undefined)[] {
  const journal = entries.map(([run, event, from, to, more], index) =>
    journalEntry({ run, recvUs: index }, event, {
      ...{ instrument: 'BTC-PERPETUAL', from_seq: from, to_seq: to },
      ...(event === 'backfill' && { outcome: 'filled' }),
      ...more,
    }),
  )
  return gapsOf(journal)
    .filter(({ kind }) => kind === 'trade_hole')
    .map(gap => gap.healed)
}

t.test('a hole is whole when all of it was fetched', t => {
  t.same(healed(['a', 'trade_hole', 5, 9], ['a', 'backfill', 5, 9]), [true])
  t.same(healed(['a', 'trade_hole', 5, 9], ['a', 'backfill', 5, 7], ['a', 'backfill', 8, 9]), [true], 'in parts')
  t.same(healed(['a', 'trade_hole', 5, 9], ['a', 'backfill', 5, 8]), [false])
  t.same(healed(['a', 'trade_hole', 5, 9], ['a', 'backfill', 5, 9, { outcome: 'partly' }]), [false])
  t.same(healed(['a', 'trade_hole', 5, 9], ['a', 'backfill', 5, 9, { instrument: 'ETH-PERPETUAL' }]), [false])
  t.end()
})

t.test('holes that a killed run had asked for, found again by the next', t => {
  const again = healed(['a', 'trade_hole', 5, 9], ['b', 'trade_hole', 5, 20], ['b', 'backfill', 5, 20])
  t.same(again, [true, true], 'with more behind it')
  const rest = healed(['a', 'trade_hole', 5, 9], ['b', 'trade_hole', 7, 9], ['b', 'backfill', 7, 9])
  t.same(rest, [true, true], 'some of it was in the files by then')
  t.same(healed(['a', 'trade_hole', 5, 9], ['b', 'trade_hole', 7, 9]), [false, false])
  const elsewhere = healed(['a', 'trade_hole', 5, 9], ['b', 'trade_hole', 11, 12], ['b', 'backfill', 11, 12])
  t.same(elsewhere, [false, true], 'another hole says nothing about it')
  const same = healed(['a', 'trade_hole', 5, 9], ['a', 'trade_hole', 7, 9], ['a', 'backfill', 7, 9])
  t.same(same, [false, true], 'nor does one that the same run found')
  t.end()
})

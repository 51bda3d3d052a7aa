import t from 'tap'
import type { JournalEntry } from '../../../formats/journal/entry.js'
import { gapsOf } from '../../../formats/journal/gaps.js'
import { inOneLine } from '../../../formats/journal/heirs.js'
import { journalEntry } from '../../fixtures/journal-entry.js'
import { matchAll } from '../../fixtures/match-all.js'

const entry = (host: string, second: number, event: string, detail: object = {}) =>
  journalEntry({ host, run: host, recvUs: second * 1e6 }, event, { conn: 'd1', ...detail })
const run = (host: string, from: number, to: number): JournalEntry[] => [
  entry(host, from, 'started'),
  entry(host, from + 1, 'live'),
  entry(host, to, 'stopped', { reason: 'SIGTERM' }),
]

t.test(
  'a recorder of another name was followed by nothing for ever, and so was one of before there were identities',
  t => {
    const upgraded = inOneLine([...run('debian', 0, 10), ...run('debian_k3f9a2bx', 20, 30)])
    matchAll(t, gapsOf(upgraded), [
      { fromUs: 10e6, toUs: 21e6 },
      { fromUs: 30e6, toUs: undefined },
    ])
    t.equal(gapsOf(upgraded).length, 2)

    const inherited = [entry('c2_k3f9a2bx', 20, 'inherited', { host: 'c1', segments: 3 })]
    const renamed = [...run('c1_k3f9a2bx', 0, 10), ...inherited, ...run('c2_k3f9a2bx', 20, 30)]
    const gaps = gapsOf(inOneLine(renamed.sort((a, b) => a.recvUs - b.recvUs)))
    t.same(
      gaps.map(({ host, toUs }) => [host, toUs]),
      [
        ['c2', 21e6],
        ['c2', undefined],
      ],
    )
    t.end()
  },
)

t.test('who inherited from each other in turns is one; others are none of it', t => {
  const entries = [
    entry('a', 1, 'live'),
    entry('b', 2, 'inherited', { host: 'a' }),
    entry('a', 3, 'inherited', { host: 'b' }),
    entry('c', 4, 'inherited', { host: 'a' }),
    entry('other', 5, 'live'),
  ]
  const hosts = inOneLine(entries).map(({ host }) => host)
  t.equal(new Set(hosts.slice(0, 4)).size, 1)
  t.equal(hosts[4], 'other')
  t.end()
})

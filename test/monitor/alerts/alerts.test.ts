/** When alerts are raised, repeated and cleared: stories, minute by minute. */
import t from 'tap'
import { due, looked, noAlerts, parseState, delivered, type AlertState } from '../../../monitor/alerts/state.js'
import type { EventOfDay } from '../../../coverage/account/day.js'
import { coverageEvent } from '../../fixtures/coverage-day.js'
import { limitsOf, seen, startMs, type Facts } from './fixtures/seen.js'

/** Goes through a story; each line is `minute what alert`. */
function toldIn(story: [minute: number, facts: Facts][], alerts: object = {}): string[] {
  const limits = limitsOf(alerts)
  const lines: string[] = []
  let state: AlertState = noAlerts
  for (const [minute, facts] of story) {
    const look = seen(minute, facts)
    state = looked(state, look, limits)
    for (const alert of due(state, limits, look.atMs)) {
      lines.push(`${minute} ${alert.what} ${alert.key}`)
      state = delivered(state, alert, look.atMs)
    }
    // Over a restart of whoever watches, too.
    state = parseState(JSON.stringify(state))
  }
  return lines
}

const gap = (given: Partial<EventOfDay>): Facts => ({ losses: [coverageEvent(startMs, given)] })
/** Trades that the exchange was asked for and did not give. */
const hole = gap({ couldHeal: true, whose: 'trades BTC-PERPETUAL' })
const outage = gap({ lasts: true })

const stories: { name: string; story: [number, Facts][]; alerts?: object; lines: string[] }[] = [
  {
    name: 'all is well',
    story: [
      [0, {}],
      [10, {}],
    ],
    lines: [],
  },
  {
    name: 'no data, and again; the all-clear after five good minutes',
    story: [
      [0, {}],
      [1, { dataAgoS: 121 }],
      [2, { dataAgoS: 181 }],
      [3, {}],
      [7, {}],
      [8, {}],
      [9, {}],
    ],
    lines: ['1 raised no data', '8 cleared no data'],
  },
  {
    name: 'a disk that turned read-only was tried again for ever, and nobody was told',
    story: [
      [0, {}],
      [1, { isReadOnly: true }],
      [2, {}],
      [8, {}],
      [9, { diskError: 'EROFS: read-only file system, write' }],
    ],
    lines: ['1 raised disk refuses', '8 cleared disk refuses', '9 raised disk refuses'],
  },
  {
    name: 'files that are never shipped were told nobody',
    story: [
      [0, {}],
      [1, { problemFiles: 2 }],
      [2, {}],
      [8, {}],
    ],
    lines: ['1 raised sync problems', '8 cleared sync problems'],
  },
  {
    name: 'what comes and goes is told once',
    story: [
      [1, { dataAgoS: 200 }],
      [3, {}],
      [5, { dataAgoS: 200 }],
      [7, {}],
      [11, {}],
      [12, {}],
    ],
    lines: ['1 raised no data', '12 cleared no data'],
  },
  {
    name: 'what lasts is told again',
    story: [
      [1, { dataAgoS: 200 }],
      [60, { dataAgoS: 4000 }],
      [121, { dataAgoS: 7000 }],
    ],
    alerts: { repeatHours: 2 },
    lines: ['1 raised no data', '121 still no data'],
  },
  {
    name: 'a gap that does not heal',
    story: [
      [10, hole],
      [16, hole],
      [20, {}],
      [25, {}],
    ],
    lines: ['16 raised gap', '25 cleared gap'],
  },
  {
    name: 'a gap that healed in time',
    story: [
      [10, hole],
      [14, {}],
      [30, {}],
    ],
    lines: [],
  },
  {
    name: 'an outage that goes on is told, one that ended and cannot heal is in the account alone',
    story: [
      [14, outage],
      [16, outage],
      [20, gap({})],
      [25, gap({})],
    ],
    lines: ['16 raised gap', '25 cleared gap'],
  },
  {
    name: 'quarantine: what is new, not what lies there',
    story: [
      [0, { quarantineFiles: 3 }],
      [1, { quarantineFiles: 5 }],
      [2, { quarantineFiles: 5 }],
      [7, { quarantineFiles: 5 }],
    ],
    lines: ['1 raised quarantine', '7 cleared quarantine'],
  },
  {
    name: 'disk pressure ends only with some room more',
    story: [
      [0, { freeGiB: 1.1 }],
      [1, { freeGiB: 0.9 }],
      [2, { freeGiB: 1.1 }],
      [10, { freeGiB: 1.1 }],
      [11, { freeGiB: 2 }],
      [16, { freeGiB: 2 }],
    ],
    lines: ['1 raised disk', '16 cleared disk'],
  },
  {
    name: 'sync behind ends only when much of it is done',
    story: [
      [0, { behindHours: 5 }],
      [1, { behindHours: 7 }],
      [2, { behindHours: 5.5 }],
      [20, { behindHours: 5.5 }],
      [21, { behindHours: 1 }],
      [26, { behindHours: 1 }],
    ],
    lines: ['1 raised sync', '26 cleared sync'],
  },
  {
    name: 'copies that were safe at the target were found damaged or gone there, and nobody was told',
    story: [
      [0, { wrong: 0, missing: 0 }],
      [1, { wrong: 1, missing: 0 }],
      [2, { wrong: 1, missing: 0 }],
      [7, { wrong: 1, missing: 0 }],
      [8, { wrong: 1, missing: 3 }],
      [9, { wrong: 1, missing: 3 }],
      [14, { wrong: 1, missing: 3 }],
    ],
    lines: ['1 raised copies', '7 cleared copies', '8 raised copies', '14 cleared copies'],
  },
  {
    name: 'a syncer that counts from its start again found no more copies damaged until it counts one',
    story: [
      [0, { wrong: 2, missing: 0 }],
      [1, { wrong: 2, missing: 0 }],
      [6, { wrong: 2, missing: 0 }],
      [7, { wrong: 0, missing: 0 }],
      [8, {}],
      [9, { wrong: 1, missing: 0 }],
    ],
    lines: ['0 raised copies', '6 cleared copies', '9 raised copies'],
  },
  {
    name: 'a part that died and was started again',
    story: [
      [0, {}],
      [1, { state: 'dead' }],
      [2, { since: '2026-11-22T14:02:00.000Z' }],
      [3, { since: '2026-11-22T14:02:00.000Z' }],
      [8, { since: '2026-11-22T14:02:00.000Z' }],
    ],
    lines: [
      '1 raised recorder down',
      '2 raised recorder restarted',
      '2 raised syncer restarted',
      '8 cleared recorder down',
      '8 cleared recorder restarted',
      '8 cleared syncer restarted',
    ],
  },
  {
    name: 'a recorder that stands still was no news while its process lived',
    story: [
      [0, {}],
      [1, { state: 'stands still' }],
      [2, {}],
      [7, {}],
    ],
    lines: ['1 raised recorder down', '7 cleared recorder down'],
  },
  {
    name: 'no more messages an hour than allowed: the rest waits',
    story: [
      [1, { dataAgoS: 200, freeGiB: 0.5 }],
      [30, { dataAgoS: 200, freeGiB: 0.5 }],
      [62, { dataAgoS: 200, freeGiB: 0.5 }],
    ],
    alerts: { perHour: 1 },
    lines: ['1 raised no data', '62 raised disk'],
  },
  ...(
    [
      ['an empty disk in place of the target', 'target replaced', { syncCode: 'SYNC_TARGET_UNMARKED' }],
      ['another NAS under the same address', 'target replaced', { syncCode: 'SYNC_TARGET_DIFFERS' }],
      ['a target without room', 'target full', { syncCode: 'SYNC_TARGET_FULL' }],
      ['a clock that is off', 'clock', { clockS: -1.5 }],
      ['an instrument of the config that is not recorded', 'not recorded', { notOffered: ['BTC-1JAN20'] }],
      ['memory near its limit', 'memory', { heapShare: 0.95 }],
    ] as const
  ).map(([what, key, facts]) => ({
    name: `${what} was told nobody`,
    story: [
      [0, {}],
      [1, facts],
      [2, {}],
      [8, {}],
    ] as [number, Facts][],
    lines: [`1 raised ${key}`, `8 cleared ${key}`],
  })),
  {
    name: 'limits of 0 are off',
    story: [[1, { dataAgoS: 9000, freeGiB: 0, behindHours: 99 }]],
    alerts: { noDataSeconds: 0, minFreeGiB: 0, syncBehindHours: 0 },
    lines: [],
  },
]

for (const { name, story, alerts, lines } of stories) {
  t.test(name, t => {
    t.same(toldIn(story, alerts), lines)
    t.end()
  })
}

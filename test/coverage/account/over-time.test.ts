/** An account of weeks is made part by part: it says what the whole would say, and needs the memory of a part. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { measureAccount } from '../../../coverage/account/measure.js'
import { isLost } from '../../../coverage/account/account.js'
import { summaryOf } from '../../../coverage/account/account-summary.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { writeJournalHour, type ToldAt } from '../../fixtures/journal-hour.js'

const DAY_MS = 86_400_000
const DAY_US = DAY_MS * 1000
const FIRST_MS = Date.parse('2026-10-01T00:00:00Z')
const BOOK = 'book.BTC-PERPETUAL.100ms'
const TRADES = 'trades.BTC-PERPETUAL.100ms'
const channels = ['quote.BTC-PERPETUAL', BOOK, TRADES]
const FAMILIES = ['quote', 'book', 'trades']
/** µs, of a day by its number and a time of it in hours. */
const us = (day: number, hours = 0) => (FIRST_MS + day * DAY_MS) * 1000 + hours * 3600e6

/** Two segments a day, at 00:00 and at 12:00, each with what is subscribed, and with what else happened then. */
function writeDays(
  root: string,
  of: { host: string; run: string; from: number; to: number; own: readonly string[] },
  events: readonly (readonly [atUs: number, event: object])[],
): void {
  const { host, run, from, to, own } = of
  for (let half = 0; half < 2 * (to - from); half++) {
    const startedMs = FIRST_MS + from * DAY_MS + (half * DAY_MS) / 2
    const begun: ToldAt[] =
      half === 0
        ? [
            [0, { event: 'started', run, host }],
            [1, { event: 'subscribed', conn: 'd1', channels: own }],
            [2, { event: 'live', conn: 'd1', channels: own.length }],
          ]
        : [[1, { event: 'subscriptions', conn: 'd1', channels: own }]]
    const [fromUs, toUs] = [startedMs * 1000, (startedMs + DAY_MS / 2) * 1000]
    const then = events.flatMap(([atUs, event]): ToldAt[] =>
      atUs >= fromUs && atUs < toUs ? [[(atUs - fromUs) / 1e6, event]] : [],
    )
    const beats = Array.from({ length: 11 }, (_, hour): ToldAt => [3600 * (hour + 1) - 1, CLOCK])
    const told = [...begun, ...then, ...beats].sort((a, b) => a[0] - b[0])
    writeJournalHour(root, { startedMs, host, run, number: half + 1 }, told)
  }
}

const CLOCK = { event: 'clock', offset_us: 0, drift_us: 0, exchange_offset_us: 0, round_trip_us: 100 }

function gap(fromUs: number, toUs: number): readonly [number, object] {
  return [
    toUs,
    { event: 'gap', conn: 'd1', cause: 'connection lost', families: FAMILIES, from_us: fromUs, to_us: toUs },
  ]
}

function hole(fromUs: number, toUs: number): readonly [number, object] {
  const of = { instrument: 'BTC-PERPETUAL', from_us: fromUs, to_us: toUs, from_seq: 5, to_seq: 7 }
  return [toUs, { event: 'trade_hole', ...of, cause: 'trades missing by number' }]
}

const compared = (atUs: number, trades: number): readonly [number, object] => [
  atUs,
  { event: 'compared', scopes: ['BTC-PERPETUAL'], from_us: atUs - 60e6, to_us: atUs - 30e6, trades },
]

const stopped = (atUs: number): readonly [number, object] => [atUs, { event: 'stopped', reason: 'test' }]

/** One that is killed and rests for eleven days, and one that never comes back. */
function writeWeeks(root: string): void {
  const first = [gap(us(2, 5), us(2, 6)), gap(us(6, 23.9), us(7, 0.1)), hole(us(6, 23.95), us(7, 0.2))]
  const counts = Array.from({ length: 9 }, (_, day) => compared(us(day, 20), 100 * (day + 1)))
  writeDays(root, { host: 'vps1', run: 'r1', from: 0, to: 9, own: channels }, [...first, ...counts])
  const later = [gap(us(20, 23.9), us(21, 0.2)), hole(us(25, 3), us(25, 3.1)), stopped(us(29, 23))]
  writeDays(root, { host: 'vps1', run: 'r2', from: 20, to: 30, own: channels }, later)
  const gone = ['quote.ETH-PERPETUAL', 'ticker.ETH-PERPETUAL.100ms']
  writeDays(root, { host: 'vps2', run: 's1', from: 1, to: 5, own: gone }, [gap(us(3), us(3, 1)), stopped(us(4, 20))])
}

t.test('an account of weeks says the same, whether it is made at once or part by part', async t => {
  const root = t.testdir()
  writeWeeks(root)
  const window = { fromUs: us(0), toUs: us(30) }
  const nowUs = us(40)
  for (const how of [{}, { fromBegin: true, upToEnd: true }]) {
    const once = await measureAccount(root, window, nowUs, { ...how, partUs: Infinity })
    const lost = once.groups.flatMap(({ spans }) => spans.filter(isLost))
    t.ok(lost.length > 8 && lost.some(one => one.toUs - one.fromUs > 10 * DAY_US), 'much was missing')
    for (const days of [7, 1]) {
      const parts = await measureAccount(root, window, nowUs, { ...how, partUs: days * DAY_US })
      t.same(parts, once, `in parts of ${days} days`)
      for (const by of [undefined, 'hour', 'instrument', 'channel'] as const) {
        const [told, wanted] = [summaryOf(parts, exchangeNamed, by), summaryOf(once, exchangeNamed, by)]
        t.same({ ...told, lines: [...told.lines] }, { ...wanted, lines: [...wanted.lines] })
      }
    }
    t.same(await measureAccount(root, window, nowUs, how), once, 'as it is made')
  }
})

const MANY = Array.from({ length: 1000 }, (_, i) => `quote.BTC-27NOV26-${40_000 + 100 * i}-C`)
/** What a process may keep, MiB: journals of a day have more than one of names. */
const HEAP_MIB = 64
const DAYS = 120

t.test('an account of all days kept the journals of all of them in memory', t => {
  const root = t.testdir()
  for (let half = 0; half < 2 * DAYS; half++) {
    const startedMs = FIRST_MS + (half * DAY_MS) / 2
    const subscribed = { event: 'subscriptions', conn: 'd1', channels: MANY }
    const told = Array.from({ length: 10 }, (_, n): ToldAt => [n + 1, subscribed])
    const begun: ToldAt[] = half === 0 ? [[0, { event: 'started', run: 'r1', host: 'vps1' }]] : []
    writeJournalHour(root, { startedMs, host: 'vps1', run: 'r1', number: half + 1 }, [...begun, ...told])
  }
  const measure = pathToFileURL(join(import.meta.dirname, '../../../coverage/account/measure.js')).href
  const script = `
    const { measureAccount } = await import(${JSON.stringify(measure)})
    const { groups } = await measureAccount(${JSON.stringify(root)}, { fromUs: ${us(0)}, toUs: ${us(DAYS)} }, ${us(DAYS + 5)})
    console.log(groups.flatMap(({ channels }) => channels).length)`
  const args = [`--max-old-space-size=${HEAP_MIB}`, '--input-type=module', '-e', script]
  t.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), `${MANY.length}\n`)
  t.end()
})

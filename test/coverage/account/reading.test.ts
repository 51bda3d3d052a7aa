import { rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dayOf, endOf, measureAccount } from '../../../coverage/account/measure.js'
import { namedExchange } from '../../../coverage/account/read-facts.js'
import { summaryOf } from '../../../coverage/account/account-summary.js'
import { sentenceOf } from '../../../coverage/account/wording.js'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { isLost } from '../../../coverage/account/account.js'
import { QuerySession } from '../../../reader/query/session.js'
import { segmentPath } from '../../../formats/raw-path.js'
import { writeRecording, type MadeFrame } from '../../fixtures/made-recording.js'
import { RUN_STARTED_US, wholeRun, writeRun } from '../../fixtures/raw-run.js'
import { SEGMENT_NAME } from '../../fixtures/segments.js'
import { begin, lines, outage, CHANNELS, S, type Entry } from './fixtures/three-channels.js'

const DAY = dayOf('2026-11-22')
const missed = outage(40, 50)
const nowUs = RUN_STARTED_US + 10 * 3600 * S

t.test('without Parquet, of an open segment, the account is there', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, missed, [60, 'clock']]), 'open')
  const { groups } = await measureAccount(root, DAY, nowUs)
  const lost = groups.flatMap(({ spans, channels }) =>
    spans
      .filter(isLost)
      .map(({ fromUs, toUs, cause }) => [
        channels.length,
        (fromUs - RUN_STARTED_US) / S,
        (toUs - RUN_STARTED_US) / S,
        cause,
      ]),
  )
  t.ok(lost.some(([, from, to, cause]) => from === 40 && to === 50 && cause === 'connection lost'))
})

t.test(
  'a span within an outage of the recorder was of a time that nobody wanted, if its hour began anew later',
  async t => {
    const root = t.testdir()
    writeRun(root, lines([...begin, [60, 'clock']]))
    const back = 3600 + 2400
    writeRun(
      root,
      lines([
        [back, 'started', { run: 'next', host: 'h' }],
        [back + 1, 'subscribed', { channels: CHANNELS }],
      ]),
    )
    const [fromUs, toUs] = [3600 + 600, 3600 + 1200].map(second => RUN_STARTED_US + second * S) as [number, number]
    const { groups } = await measureAccount(root, { fromUs, toUs }, nowUs)
    t.equal(groups.flatMap(({ channels }) => channels).length, 3)
    t.ok(groups.every(({ spans }) => spans.length > 0 && spans.every(isLost)))
  },
)

t.test('a day without files has no channel', async t => {
  const root = t.testdir()
  writeRun(root, wholeRun(20))
  t.same((await measureAccount(root, dayOf('2026-01-01'), nowUs)).groups, [])
})

t.test('a segment that someone removed with its manifest is missing', async t => {
  const root = t.testdir()
  const frames = wholeRun(40).filter(({ family }) => family !== 'journal')
  const told = lines([...begin, [50, 'clock'], [60, 'stopped', { reason: 'test' }]])
  const third = { ...frames[0], family: 'book', conn: 'd1', seq: 41, recvUs: RUN_STARTED_US + 2 * S, frame: '{}' }
  const { paths } = writeRun(root, [...told, ...frames, third])
  const whole = await measureAccount(root, DAY, nowUs)
  const missingOf = ({ groups }: typeof whole) =>
    groups.flatMap(({ spans, channels }) =>
      spans.some(({ state }) => state === 'missing') ? channels.map(({ family }) => family) : [],
    )
  t.same(missingOf(whole), [])
  const quote = paths.get('quote') ?? ''
  rmSync(join(root, quote))
  t.same(missingOf(await measureAccount(root, DAY, nowUs)), ['quote'], 'its manifest is still there')
  rmSync(join(root, quote.replace(/\.jsonl\.zst$/, '.json')))
  const gone = await measureAccount(root, DAY, nowUs)
  const causes = gone.groups
    .flatMap(({ spans }) => spans.filter(({ state }) => state === 'missing'))
    .map(({ cause }) => cause)
  t.same(causes.length, 1)
  t.match(causes[0], /is gone without a record/)
})

t.test('a segment that was moved aside is told as that, not as one that is gone without a record', async t => {
  const folder = t.testdir({ whole: {}, moved: {} })
  const frames = wholeRun(40).filter(({ family }) => family !== 'journal')
  const told: Entry[] = [...begin, [60, 'stopped', { reason: 'test' }]]
  const quote = writeRun(join(folder, 'whole'), [...lines(told), ...frames]).paths.get('quote') ?? ''
  const moved: Entry = [50, 'segment_unreadable', { path: `${quote}.open`, moved_to: 'quarantine/unreadable/it' }]
  const third = { ...frames[0], family: 'book', conn: 'd1', seq: 41, recvUs: RUN_STARTED_US + 2 * S, frame: '{}' }
  const root = join(folder, 'moved')
  const { paths } = writeRun(root, [...lines([...begin, moved, [60, 'stopped', { reason: 'test' }]]), ...frames, third])
  t.equal(paths.get('quote'), quote)
  for (const path of [quote, quote.replace(/\.jsonl\.zst$/, '.json')]) rmSync(join(root, path))
  const { groups } = await measureAccount(root, DAY, nowUs)
  const causes = groups.flatMap(({ spans }) => spans.flatMap(({ cause }) => cause ?? []))
  t.same(
    causes.filter(cause => cause.includes('without a record')),
    [],
  )
})

t.test('queries have the gaps as a relation, without any table of coverage', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, missed, [60, 'stopped', { reason: 'test' }]]))
  const session = await QuerySession.open({
    root,
    fresh: { limits: { memoryMiB: 128, threads: 1 }, keepDuplicates: false, windowMs: 1000 },
    note: () => undefined,
  })
  t.teardown(() => session.clear())
  const sql = `SELECT exchange, channel, instrument_kind, instrument_name, epoch_us(to_ts) - epoch_us(from_ts) AS us, state, cause, grade
    FROM gaps WHERE state = 'missing' ORDER BY channel`
  const rows = await session.ask(sql, async connection => (await connection.runAndReadAll(sql)).getRows())
  const of = (channel: string) => [
    'deribit',
    channel,
    'perpetual',
    'BTC-PERPETUAL',
    BigInt(10 * S),
    'missing',
    'connection lost',
    'watched',
  ]
  t.same(rows, [of('book'), of('quote'), of('trades')])
})

const OPEN = { fromBegin: true, upToEnd: true }
const toldAt = async (root: string, second: number) => {
  const account = await measureAccount(root, DAY, RUN_STARTED_US + second * S, OPEN)
  const told = summaryOf(account, exchangeNamed)
  const window = [account.window.fromUs, account.window.toUs].map(us => (us - RUN_STARTED_US) / S)
  return { isComplete: told.isComplete, sentence: sentenceOf(told), window }
}

t.test('a copy of a recording that was stopped in order lacked more the later it was asked', async t => {
  const root = t.testdir()
  writeRun(root, lines([...begin, [60, 'stopped', { reason: 'test' }]]))
  const sentence = 'Complete: 3 channels, 59 s to 14:01:00, when the recorder was stopped.'
  for (const second of [61, 81, 3600, 36_000])
    t.same(await toldAt(root, second), { isComplete: true, sentence, window: [0, 60] }, `${second} s after its begin`)
  const asked = await measureAccount(root, DAY, RUN_STARTED_US + 81 * S)
  t.equal(asked.groups.flatMap(({ channels }) => channels).length, 3)
  t.ok(
    asked.groups.every(({ spans }) =>
      spans.some(({ state, cause }) => state === 'not recording' && cause !== undefined),
    ),
    'who asks for the day is told that nothing was recorded then',
  )

  const killed = t.testdir({ killed: {} })
  writeRun(join(killed, 'killed'), lines([...begin, [60, 'clock']]))
  t.same((await toldAt(join(killed, 'killed'), 81)).window, [0, 81], 'one that said no last word may live')
})

t.test('of two recorders the end is that of the later one, and in order only where both were stopped', t => {
  const entry = (host: string, second: number, event: 'started' | 'stopped' | 'clock') =>
    ({ exchange: 'deribit', host, run: `r${host}`, recvUs: second * S, event, detail: {} }) as const
  const facts = {
    exchange: namedExchange('deribit'),
    signs: [],
    alive: new Set<string>(),
    vanished: [],
    nowUs: 1000 * S,
  }
  const entries = [entry('a', 1, 'started'), entry('b', 2, 'started'), entry('a', 10, 'stopped')]
  t.same(endOf({ ...facts, entries: [...entries, entry('b', 20, 'stopped')] }), { us: 20 * S, isStopped: true })
  t.same(endOf({ ...facts, entries: [...entries, entry('b', 20, 'clock')] }), { us: 20 * S, isStopped: false })
  t.end()
})

t.test(
  'of a segment that goes on for hours a copy says that it is not here yet, and misses it once it should be',
  async t => {
    const HOUR = 3600 * S
    const folder = t.testdir()
    const name = { ...SEGMENT_NAME, channel: 'quote', run: 'r1', number: 2, ofDate: true as const }
    const toUs = RUN_STARTED_US + 10 * HOUR
    const frames: MadeFrame[] = []
    const add = (family: string, recvUs: number, frame: object) =>
      frames.push({ family, conn: family === 'journal' ? 'journal' : 'd1', recvUs, frame: JSON.stringify(frame) })
    const quote = { params: { channel: CHANNELS[0], data: { instrument_name: 'BTC-PERPETUAL' } } }
    add('journal', RUN_STARTED_US, {
      event: 'started',
      run: 'r1',
      host: 'vps1',
      flush_ms: 80,
      fsync_ms: 1000,
      rotate_minutes: 60,
    })
    add('quote', RUN_STARTED_US + 1, quote)
    add('journal', RUN_STARTED_US + S, { event: 'subscribed', conn: 'd1', channels: CHANNELS })
    for (let hour = 0; hour < 4; hour++) {
      const us = RUN_STARTED_US + hour * HOUR + 2 * S
      add('journal', us, { event: 'subscriptions', conn: 'd1', channels: CHANNELS })
      add('journal', us + 1, { event: 'goes_on', path: segmentPath(name, 'sealed'), to_us: toUs })
      for (const family of ['trades', 'book', 'quote']) add(family, us + 60 * S, quote)
    }
    writeRecording(folder, frames, { ofDate: ['quote'] })
    const statesAt = async (hour: number, askedUs: number) => {
      const fromUs = RUN_STARTED_US + hour * HOUR + 600 * S
      const { groups } = await measureAccount(folder, { fromUs, toUs: fromUs + 600 * S }, askedUs)
      return Object.fromEntries(
        groups.flatMap(({ channels, spans }) =>
          channels.map(({ family }) => [family, spans.map(({ state }) => state)]),
        ),
      ) as Record<string, string[]>
    }
    const others = { trades: ['recorded'], book: ['recorded'] }
    const earlyUs = RUN_STARTED_US + 5 * HOUR
    t.same(await statesAt(2, earlyUs), { ...others, quote: ['recorded'] }, 'it is here')
    const path = join(folder, segmentPath(name, 'sealed'))
    for (const file of [path, path.replace(/\.jsonl\.zst$/, '.json')]) rmSync(file)
    for (const hour of [0, 1, 2])
      t.same(await statesAt(hour, earlyUs), { ...others, quote: ['not yet known'] }, 'not here yet')
    const late = await statesAt(2, toUs + 3 * HOUR)
    t.same(late, { ...others, quote: ['missing'] }, 'it never came')
  },
)

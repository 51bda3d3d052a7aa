import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { exchangeNamed } from '../../../exchanges/registry.js'
import { IMPORTED } from '../../../formats/journal/causes.js'
import { parseJournalEvent } from '../../../formats/journal/entry.js'
import { parseManifest } from '../../../formats/manifest.js'
import { rawFiles, rawSegments } from '../../../formats/raw-tree.js'
import { withState } from '../../../formats/raw-path.js'
import { HourImport } from '../../../reader/import/hour-import.js'
import { ImportJournal } from '../../../reader/import/import-journal.js'
import { readFrames } from '../../../reader/read-frames.js'
import { filesBelow, hashes } from '../../compactor/fixtures/compacted.js'
import { holds } from '../../fixtures/holds.js'

const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const HOUR_US = 3_600_000_000

const eventsOf = (journal: ImportJournal) =>
  journal.take().map(({ recvUs, frame }) => {
    const event = parseJournalEvent(frame.toString())
    assert.ok(event, 'readers of journals know it')
    return { recvUs, ...event }
  })

/** Frames and losses, as an import tells them; some frames name no channel. */
const step = fc.record({
  afterUs: fc.constantFrom(0, 1, 900_000, 1_000_000, 1_000_001, 30_000_000),
  channel: fc.constantFrom(undefined, 'quote.A', 'quote.B', 'trades.A', 'ticker.A'),
  isLost: fc.nat({ max: 6 }).map(chance => chance === 0),
})

t.test('each channel is told as subscribed once, no later than its first frame, and as ended with the last', t => {
  holds(
    t,
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const journal = new ImportJournal('import')
      const [firsts, losses] = [new Map<string, number>(), [] as [number, number][]]
      let [us, lastUs, lostUs] = [START_US, undefined as number | undefined, undefined as number | undefined]
      for (const { afterUs, channel, isLost } of steps) {
        us += afterUs
        if (isLost && lastUs !== undefined) journal.lost((lostUs ??= lastUs))
        const ended = journal.came(us, channel?.split('.')[0] ?? 'other', channel)
        assert.deepEqual(ended && [ended.fromUs, ended.toUs], lostUs === undefined ? undefined : [lostUs, us])
        if (lostUs !== undefined) losses.push([lostUs, us])
        lostUs = undefined
        if (channel !== undefined && !firsts.has(channel)) firsts.set(channel, us)
        lastUs = us
      }
      if (lastUs !== undefined) journal.ends(lastUs)
      const events = eventsOf(journal)
      assert.ok(
        events.every(({ recvUs }, at) => at === 0 || (events[at - 1]?.recvUs ?? 0) <= recvUs),
        'in order of time',
      )
      const told = events.flatMap(each => (each.event === 'subscribed' ? (each.detail.channels ?? []).map(channel => ({ channel, at: each.recvUs })) : [])) // prettier-ignore
      assert.deepEqual(told.map(({ channel }) => channel).sort(), [...firsts.keys()].sort(), 'each once')
      for (const { channel, at } of told) {
        const first = firsts.get(channel) ?? 0
        assert.ok(at <= first && first - at <= 1_000_000, `${channel} told at ${at}, came at ${first}`)
      }
      const ends = events.filter(({ event }) => event === 'unsubscribed')
      assert.equal(ends.length, firsts.size > 0 ? 1 : 0)
      for (const end of ends) {
        assert.equal(end.recvUs, lastUs)
        assert.deepEqual(end.detail, { conn: 'import', channels: [...firsts.keys()].sort(), reason: IMPORTED })
      }
      const gaps = events.flatMap(each => (each.event === 'gap' ? [[each.detail.from_us, each.detail.to_us]] : []))
      assert.deepEqual(gaps, losses)
      assert.deepEqual(eventsOf(journal), [], 'nothing is told twice')
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('an hour that is read alone says what is subscribed; one that goes on is not told as new', t => {
  const journal = new ImportJournal('import', ['quote.B', 'quote.A'])
  journal.hourBegins(START_US)
  journal.came(START_US, 'quote', 'quote.A')
  const events = eventsOf(journal)
  t.same(
    events.map(({ event }) => event),
    ['subscriptions'],
  )
  t.same(events[0]?.detail, { conn: 'import', channels: ['quote.A', 'quote.B'], part: 1, parts: 1 })
  const none = new ImportJournal('import')
  none.hourBegins(START_US)
  none.ends(START_US)
  t.same(eventsOf(none), [], 'of no channel nothing is said')
  t.end()
})

const quote = (n: number) => Buffer.from(`{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.BTC-PERPETUAL","data":{"n":${n}}}}`) // prettier-ignore

function hourOf(dataDir: string, host = 'mine') {
  const exchange = exchangeNamed('deribit')
  const staging = join(dataDir, 'state/import/tmp')
  return new HourImport({
    dataDir,
    staging,
    exchange,
    exchangeName: 'deribit',
    conn: 'import',
    host,
    family: undefined,
  })
}

/** Numbers of quotes. */
const SOME = [1, 2, 3]
const OTHERS = [1, 2, 4]

async function importHour(dataDir: string, numbers: readonly number[], host?: string) {
  const hour = hourOf(dataDir, host)
  hour.begin(START_US + 5)
  for (const n of numbers) hour.add(START_US + n, quote(n))
  await hour.finish([])
  return hour.counts
}

t.test('the same lines make the same segment, and are there once; others make another', async t => {
  const dataDir = t.testdir()
  t.match(await importHour(dataDir, SOME), { segments: 1, known: 0 })
  const before = hashes(join(dataDir, 'raw'))
  t.match(await importHour(dataDir, SOME), { segments: 0, known: 1 })
  t.same(hashes(join(dataDir, 'raw')), before, 'nothing was written')
  t.match(await importHour(dataDir, OTHERS), { segments: 1, known: 0 })
  t.equal([...rawSegments(dataDir)].length, 2)
  t.match(await importHour(dataDir, SOME, 'other'), { segments: 1 }, 'of another host it is another')
  t.same(filesBelow(join(dataDir, 'state/import/tmp')), [], 'nothing waits any more')
})

t.test('a kill between manifest and segment leaves what the next import completes', async t => {
  const dataDir = t.testdir()
  await importHour(dataDir, SOME)
  const before = hashes(join(dataDir, 'raw'))
  const [segment] = [...rawSegments(dataDir)]
  if (!segment) throw new Error('no segment')
  rmSync(join(dataDir, segment.path))
  t.ok(existsSync(join(dataDir, withState(segment.path, 'manifest'))))
  t.match(await importHour(dataDir, SOME), { segments: 1, known: 0 })
  t.same(hashes(join(dataDir, 'raw')), before)
})

t.test('frames come back as they were, by family, with losses of connections in the manifests', async t => {
  const dataDir = t.testdir()
  const hour = hourOf(dataDir)
  t.notOk(hour.covers(START_US))
  hour.begin(START_US + HOUR_US - 1)
  t.ok(hour.covers(START_US) && hour.covers(START_US + HOUR_US - 1) && !hour.covers(START_US + HOUR_US))
  t.same(hour.add(START_US + 1, quote(1)), { family: 'quote', channel: 'quote.BTC-PERPETUAL' })
  t.match(hour.add(START_US + 2, Buffer.from('{"result":"ok"}')), { channel: undefined })
  const trade = Buffer.from('{"params":{"channel":"trades.BTC-PERPETUAL.100ms","data":[]}}')
  hour.add(START_US + 3, trade)
  hour.lost({ fromUs: START_US + 1, toUs: START_US + 3, cause: 'lost' })
  await hour.finish([{ recvUs: START_US, frame: Buffer.from('{"event":"subscribed"}') }])
  const frames = []
  for await (const { conn, family, text } of readFrames({ path: dataDir })) frames.push([conn, family, text])
  t.same(frames.sort(), [['import', 'rpc', '{"result":"ok"}'], ['import', 'quote', quote(1).toString()], ['import', 'trades', trade.toString()], ['journal', 'journal', '{"event":"subscribed"}']].sort()) // prettier-ignore
  const told = [...rawFiles(dataDir)]
    .filter(({ state }) => state === 'manifest')
    .map(({ path, name }) => {
      const { gaps, frames } = parseManifest(readFileSync(join(dataDir, path), 'utf8'), path)
      return [name.channel, frames, gaps.length]
    })
  t.strictSame(told.sort(), [['journal', 1, 0], ['quote', 1, 1], ['rpc', 1, 1], ['trades', 1, 1]]) // prettier-ignore
})

t.test('lines that cannot be taken are kept with their bytes, once, near the time of those around them', async t => {
  const dataDir = t.testdir()
  for (let again = 0; again < 2; again++) {
    const hour = hourOf(dataDir)
    hour.begin(START_US)
    hour.quarantine({
      line: Buffer.from([0x61, 0xff]),
      reason: 'no JSON',
      nearUs: undefined,
      source: 'a.gz',
      offset: 7,
    })
    hour.add(START_US + 2_000_000, quote(1))
    hour.quarantine({ line: Buffer.from('{'), reason: 'no JSON', nearUs: START_US, source: 'a.gz', offset: 9 })
    await hour.finish([])
    t.same(hour.counts.broken, { lines: 2, reasons: { 'no JSON': 2 } })
  }
  const files = filesBelow(join(dataDir, 'quarantine'))
  t.equal(files.length, 1, 'the same lines again add nothing')
  t.match(files[0], /date=2026-11-22\/20261122T140002Z_1h-mine-/, 'the next line’s time where there is none before')
  const lines = readFileSync(join(dataDir, 'quarantine', files[0] ?? ''), 'utf8')
    .trimEnd()
    .split('\n')
  const [first, second] = lines.map(line => JSON.parse(line) as { raw: string; raw_base64?: string; offset: number })
  t.equal(Buffer.from(first?.raw_base64 ?? '', 'base64').toString('hex'), '61ff')
  t.same([second?.raw, second?.raw_base64, second?.offset], ['{', undefined, 9])
})

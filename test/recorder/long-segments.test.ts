import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { segmentEndMs } from '../../formats/segment-span.js'
import { localDisk, type Disk } from '../../platform/disk.js'
import { atOnce } from '../../platform/disk-steps.js'
import { HourVolumes } from '../../recorder/storage/hour-volumes.js'
import type { Append, StorageOptions } from '../../recorder/storage/messages.js'
import { endOfSegmentMs, goesOn } from '../../recorder/storage/segment-length.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { commandHere } from '../fixtures/command-here.js'
import { FailingDisk } from '../fixtures/failing-disk.js'
import { framesTaken, rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'
import {
  batchOf,
  SLOT_FROM_US,
  StoreRun,
  storeOptions,
  sealedNumbers,
  unsyncedDisk,
  upTo,
} from '../fixtures/store-run.js'
import { holds } from '../fixtures/holds.js'

const HOUR_MS = 3_600_000
const HOUR_US = HOUR_MS * 1000
const DAY_MS = 24 * HOUR_MS
const VOLUMES = 'state/recorder-deribit-vps1.volumes'
const LONG = { hours: 24, bytes: 100_000 }

t.test('what is decided at the begin of a segment and at each turn of an hour', t => {
  const divisors = fc.constantFrom(1, 2, 3, 4, 6, 8, 12, 24)
  const bytes = fc.nat(1_000_000)
  const known = fc.option(fc.nat(1_000_000), { nil: undefined })
  holds(
    t,
    fc.property(fc.nat(500_000), divisors, bytes, known, (hour, hours, bound, anHour) => {
      const hourMs = hour * HOUR_MS
      const endMs = endOfSegmentMs(hourMs, anHour, { hours, bytes: bound })
      const isShort = endMs === hourMs + HOUR_MS
      // At least the hour, whole hours, never over midnight, never longer than was allowed.
      t.ok(endMs > hourMs && endMs % HOUR_MS === 0 && endMs - hourMs <= hours * HOUR_MS)
      t.ok(endMs <= (Math.floor(hourMs / DAY_MS) + 1) * DAY_MS)
      t.equal(endMs % (isShort ? HOUR_MS : hours * HOUR_MS), 0, 'segments of little end together')
      if (anHour === undefined || 2 * anHour > bound || hours === 1) t.ok(isShort, 'nobody knows, or it is much')
    }),
  )
  holds(
    t,
    fc.property(bytes, bytes, known, (held, bound, anHour) => {
      const goes = goesOn(held, anHour, { hours: 24, bytes: bound })
      t.equal(goes, held + (anHour ?? 0) <= bound)
      if (!goes) t.notOk(goesOn(held + 1, anHour, { hours: 24, bytes: bound }), 'more never goes on longer')
    }),
  )
  t.end()
})

t.test('volumes: whole hours count, the same after a restart, wherever that falls', t => {
  const dataDir = t.testdir({ state: {} })
  const path = join(dataDir, VOLUMES)
  const fromMs = SLOT_FROM_US / 1000
  const hour = fc.record({ minute: fc.nat(59), bytes: fc.nat(10_000) })
  holds(
    t,
    fc.property(fc.array(hour, { minLength: 1, maxLength: 6 }), fc.nat(5), (hours, restartAt) => {
      rmSync(path, { force: true })
      const going = new HourVolumes(unsyncedDisk, join(dataDir, 'state/other'))
      let restarted = new HourVolumes(unsyncedDisk, path)
      hours.forEach(({ minute, bytes }, index) => {
        for (const volumes of [going, restarted])
          volumes.note('channel=a', fromMs + index * HOUR_MS + minute * 60_000, bytes)
        if (index !== restartAt) return
        atOnce(unsyncedDisk, restarted.save())
        restarted = new HourVolumes(unsyncedDisk, path)
      })
      const next = fromMs + hours.length * HOUR_MS
      t.equal(restarted.bytesAnHour('channel=a', next), going.bytesAnHour('channel=a', next))
      const whole = hours.filter(({ minute }) => minute <= 5).slice(-3)
      const wanted = whole.length === 0 ? undefined : Math.max(...whole.map(({ bytes }) => bytes))
      t.equal(going.bytesAnHour('channel=a', next), wanted)
      t.equal(going.bytesAnHour('channel=b', next), wanted === undefined ? undefined : 0, 'of what never came')
      rmSync(join(dataDir, 'state/other'), { force: true })
    }),
    { numRuns: 60 },
  )
  t.equal(new HourVolumes(localDisk, join(dataDir, 'none')).bytesAnHour('channel=a', fromMs), undefined)
  t.end()
})

/** Lines `first` to `last`, received in the n-th hour from 14 o'clock on. */
function inHour(hour: number, channel: string, first: number, last: number): Append {
  const slotFromUs = SLOT_FROM_US + hour * HOUR_US
  const span = { firstRecvUs: slotFromUs + first, lastRecvUs: slotFromUs + last }
  return { ...batchOf(channel, first, last), slotFromUs, slotToUs: slotFromUs + HOUR_US, ...span }
}

class LongRun extends StoreRun {
  constructor(dataDir: string, more: Partial<StorageOptions> = {}, disk = unsyncedDisk) {
    super(storeOptions(dataDir, { long: LONG, ...more }), disk)
  }

  /** Writes ten lines of each family in an hour, numbered on; then the hour is over. */
  async hour(hour: number, families: readonly string[], first = 10 * hour + 1): Promise<void> {
    this.tick(hour, 1)
    const before = this.storedFrames()
    for (const family of families) this.store.handle(inHour(hour, family, first, first + 9))
    await this.until('lines', () => this.storedFrames() === before + 10 * families.length)
  }

  tick(hour: number, seconds: number): void {
    this.store.handle({ type: 'tick', nowUs: SLOT_FROM_US + hour * HOUR_US + seconds * 1e6 })
  }

  /** Of the segments on disk of a family: the hour of the day in which each begins, and `+` where it goes on. */
  static begun(dataDir: string, family: string): string[] {
    const names = rawFiles(dataDir).flatMap(path => {
      const parsed = parseSegmentPath(path)
      return parsed && parsed.state !== 'manifest' && parsed.name.channel === family ? [parsed.name] : []
    })
    return names
      .sort((a, b) => a.startedMs - b.startedMs)
      .map(name => `${new Date(name.startedMs).getUTCHours()}${name.ofDate ? '+' : ''}`)
  }
}

t.test('a family of little keeps one segment to midnight, once an hour is known; the journal never', async t => {
  const dataDir = t.testdir({})
  const run = new LongRun(dataDir)
  const families = ['quote', 'journal']
  for (let hour = 0; hour < 12; hour++) await run.hour(hour, families)
  await run.close()
  t.same(LongRun.begun(dataDir, 'quote'), ['14', '15+', '0+'])
  t.equal(LongRun.begun(dataDir, 'journal').length, 12)
  t.same(sealedNumbers(dataDir).get('quote'), upTo(120))
  const told = run.of('goesOn')
  const first = told.filter(({ path }) => path === told[0]?.path)
  t.equal(first.length, 1 + 8, 'told when it is begun, and in each hour that follows')
  const name = parseSegmentPath(told[0]?.path ?? '')?.name
  t.equal(told[0]?.toUs, name && segmentEndMs(name) * 1000)
})

t.test('what comes to much is ended at the turn of an hour, and is not begun as little again', async t => {
  const dataDir = t.testdir({})
  const run = new LongRun(dataDir, { long: { hours: 24, bytes: 1000 } })
  await run.hour(0, ['quote'])
  const anHour = run.of('stored').reduce((sum, { compressedBytes }) => sum + compressedBytes, 0)
  await run.close()
  const again = new LongRun(dataDir, { run: 'run2', long: { hours: 24, bytes: 3.5 * anHour } })
  for (let hour = 1; hour < 4; hour++) await again.hour(hour, ['quote'])
  await again.hour(4, ['quote'])
  // Late lines of the hour before go to the segment that had it, and the hour after to the next.
  again.store.handle(inHour(3, 'quote', 1001, 1001))
  await again.until('the late line', () => again.storedFrames() === 41)
  again.tick(4, 3)
  await again.until('sealed at the turn of the hour', () => again.of('sealed').length === 1)
  t.same(again.of('sealed')[0]?.manifest.frames, 31)
  for (let n = 0; n < 20; n++) again.store.handle(inHour(4, 'quote', 2001 + n * 10, 2010 + n * 10))
  await again.until('a busy hour', () => again.storedFrames() === 241)
  await again.hour(5, ['quote'], 3001)
  await again.hour(6, ['quote'], 3011)
  await again.close()
  t.same(LongRun.begun(dataDir, 'quote'), ['14', '15+', '18+', '19', '20'])
})

t.test('a start decides as the run before it would have, and without its notes waits for an hour', async t => {
  for (const isLost of [false, true]) {
    const dataDir = t.testdir({ [String(isLost)]: {} }) + `/${isLost}`
    const first = new LongRun(dataDir)
    for (let hour = 0; hour < 3; hour++) await first.hour(hour, ['quote'])
    await first.close()
    t.match(readFileSync(join(dataDir, VOLUMES), 'utf8'), 'channel=quote')
    if (isLost) rmSync(join(dataDir, VOLUMES))
    const second = new LongRun(dataDir, { run: 'run2' })
    for (let hour = 3; hour < 6; hour++) await second.hour(hour, ['quote'])
    await second.close()
    t.same(LongRun.begun(dataDir, 'quote'), isLost ? ['14', '15+', '17', '18+'] : ['14', '15+', '17+'])
    t.same(sealedNumbers(dataDir).get('quote'), upTo(60))
  }
})

t.test('a segment that goes on is recovered whole after a kill, by a start that was told otherwise, too', async t => {
  const dataDir = t.testdir({ state: {} })
  const identity = { host: 'vps1_abcdefgh' }
  let isKilled = false
  // Behind its kill nothing is its own: where its file is sealed by another, it would write it anew.
  const nameOf: Disk['nameOf'] = (fd, path) => (isKilled ? 'moved' : unsyncedDisk.nameOf(fd, path))
  const killed = new LongRun(dataDir, identity, { ...unsyncedDisk, nameOf })
  for (let hour = 0; hour < 8; hour++) await killed.hour(hour, ['quote', 'trades'])
  t.ok(rawFiles(dataDir).some(path => path.endsWith('.open')))
  isKilled = true
  const next = new StoreRun(storeOptions(dataDir, { ...identity, run: 'run2' }), unsyncedDisk)
  await next.until('recovered', () => next.of('sealed').length === 2)
  for (const family of ['quote', 'trades']) next.store.handle(inHour(8, family, 81, 90))
  await next.close()
  for (const family of ['quote', 'trades']) {
    t.same(sealedNumbers(dataDir).get(family), upTo(90))
    t.same(LongRun.begun(dataDir, family), ['14', '15+', '22'])
  }
})

t.test('a clock that is set back: what is begun then is found, and nothing is in two places', async t => {
  const dataDir = t.testdir({})
  const run = new LongRun(dataDir)
  for (let hour = 0; hour < 4; hour++) await run.hour(hour, ['quote'])
  await run.hour(-3, ['quote'], 41)
  await run.hour(4, ['quote'], 51)
  await run.close()
  t.same(sealedNumbers(dataDir).get('quote'), upTo(60))
})

t.test('lines of the next hour never overtake those of the hour before that could not be written', async t => {
  const dataDir = t.testdir({})
  const disk = new FailingDisk()
  const run = new LongRun(dataDir, {}, disk)
  for (let hour = 0; hour < 3; hour++) await run.hour(hour, ['quote'])
  disk.failing.set('write', 'ENOSPC')
  run.store.handle(inHour(3, 'quote', 31, 40))
  run.store.handle(inHour(4, 'quote', 41, 50))
  await run.until('the disk is full', () => run.of('failed').length > 0)
  disk.failing.clear()
  run.store.handle({ type: 'tryNow' })
  await run.until('written', () => run.storedFrames() === 50)
  await run.close()
  const segment = run.of('sealed').find(({ manifest }) => manifest.frames === 40)
  t.ok(segment, 'one segment has them')
  t.same(sealedNumbers(dataDir).get('quote'), upTo(50))
})

t.test('a file that another program removed is written anew, and told anew', async t => {
  const dataDir = t.testdir({})
  const run = new LongRun(dataDir, {}, localDisk)
  for (let hour = 0; hour < 3; hour++) await run.hour(hour, ['quote'])
  const open = rawFiles(dataDir).find(path => path.endsWith('.open') && parseSegmentPath(path)?.name.ofDate)
  rmSync(join(dataDir, open ?? ''))
  await run.hour(3, ['quote'])
  await run.until('it was told', () => new Set(run.of('goesOn').map(({ path }) => path)).size === 2)
  await run.hour(4, ['quote'])
  await run.close()
  t.same(LongRun.begun(dataDir, 'quote'), ['14', '15+'])
  t.same(sealedNumbers(dataDir).get('quote'), upTo(50))
})

t.test('asked to end while it saved what hours brought, a recorder died', async t => {
  const dataDir = t.testdir({})
  let isSaving = false
  const slow: Disk = {
    ...localDisk,
    syncAside(fd, done) {
      isSaving = true
      setTimeout(() => localDisk.syncAside(fd, done), 20)
    },
  }
  const run = new StoreRun(storeOptions(dataDir, { long: { hours: 24, bytes: 1e6 } }), slow)
  run.store.handle({ type: 'tick', nowUs: SLOT_FROM_US })
  await run.until('it saves', () => isSaving)
  run.store.handle({ type: 'close', withinMs: 5000 })
  await run.until('closed', () => run.of('closed').length === 1)
  t.same(
    readdirSync(join(dataDir, 'state')).filter(name => name.includes('volumes')),
    ['recorder-deribit-vps1.volumes'],
  )
})

t.test('a recorder at work: what is little goes on, is told, outlives a kill, and is proven', async t => {
  const exchange = await startSimulator({ rate: 200, instruments: 20 })
  t.teardown(() => exchange.close())
  const folder = t.testdir({ data: { state: {} } })
  const hourMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
  // As if it had recorded for hours, and nothing but quotes.
  const hours = [1, 2].map(back => ({
    hour_ms: hourMs - back * HOUR_MS,
    from_ms: hourMs - back * HOUR_MS,
    bytes: { 'channel=quote': 1e9 },
  }))
  // It may begin in this hour or in the next.
  writeFileSync(join(folder, 'data', VOLUMES), JSON.stringify(hours))
  const segments = { longestHours: 24, flushMs: 100, fsyncMs: 100 }
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    const recorder = startRecorder(t, folder, { url: exchange.url }, segments)
    await until('books and prices', () =>
      ['book', 'deribit_price_index'].every(family => framesTaken(recorder, family) > 0),
    )
    recorder.process.kill(signal)
    await recorder.process
  }
  const dataDir = join(folder, 'data')
  const names = rawFiles(dataDir).flatMap(path => parseSegmentPath(path) ?? [])
  t.ok(names.every(({ state }) => state === 'sealed' || state === 'manifest'))
  const long = [...new Set(names.filter(({ name }) => name.ofDate).map(({ name }) => name.channel))]
  const lines = recordedLines(dataDir).filter(({ family }) => family === 'journal')
  const told = lines.map(({ frame }) => JSON.parse(frame.toString('utf8')) as { event: string; path?: string })
  // In the last hour of a day nothing goes on.
  if (new Date(hourMs).getUTCHours() < 22) {
    t.ok(long.includes('book') && long.includes('deribit_price_index'))
    t.notOk(long.includes('quote') || long.includes('journal'))
  }
  const toldOf = told.flatMap(({ event, path }) =>
    event === 'goes_on' ? (parseSegmentPath(path ?? '')?.name.channel ?? []) : [],
  )
  t.same([...new Set(toldOf)].sort(), long.sort(), 'all that go on are told')
  const { stdout, exitCode } = await commandHere(['verify', 'raw', dataDir])
  t.equal(exitCode, 0, stdout)
})

import { linkSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { measureAccount } from '../../coverage/account/measure.js'
import { lineHead } from '../../formats/raw-line.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { segmentEndMs } from '../../formats/segment-span.js'
import { readFrames } from '../../reader/read-frames.js'
import type { LongSegments } from '../../recorder/storage/segment-length.js'
import { groupBy } from '../../platform/group-by.js'
import { commandHere } from '../fixtures/command-here.js'
import { seeded } from '../fixtures/dice.js'
import { FailingDisk, type DiskCall } from '../fixtures/failing-disk.js'
import { rawFiles } from '../fixtures/recorder-process.js'
import { StoreRun, storeOptions } from '../fixtures/store-run.js'

// Mostly waits.

/** Days of a recorder in minutes: what it writes, and whether what was sent is found again, or is said to be missing. */
const STEP_US = 600e6
const STEPS = 34 * 6
const HOUR_US = 3600e6
const BEGIN_US = Date.UTC(2026, 10, 21, 17) * 1000 + 180e6
const HOST = 'vps1_abcdefgh'
const NAME = 'BTC-PERPETUAL'
const CHANNELS = {
  quote: `quote.${NAME}`,
  trades: `trades.${NAME}.raw`,
  book: `book.${NAME}.raw`,
  ticker: `ticker.${NAME}.raw`,
}
type Family = keyof typeof CHANNELS
const FAMILIES = Object.keys(CHANNELS) as Family[]

interface Line {
  family: string
  conn: string
  seq: number
  recvUs: number
  text: string
}

const EVERY_CALL: readonly DiskCall[] = [
  'open',
  'write',
  'sync',
  'syncFolder',
  'rename',
  'remove',
  'truncate',
  'makeFolder',
]

class MadeRun {
  readonly #disk = new FailingDisk()
  readonly #run: StoreRun
  readonly #id: string
  readonly #lines: Line[]
  readonly #seqs = new Map<string, number>()
  #told: object[] = []
  #sent = 0
  nowUs: number

  constructor(dataDir: string, id: string, nowUs: number, long: LongSegments, lines: Line[]) {
    this.nowUs = nowUs
    this.#id = id
    this.#lines = lines
    const options = storeOptions(dataDir, { host: HOST, run: id, long, fsyncMs: 10_000, rotateBytes: 30_000 })
    this.#run = new StoreRun(options, this.#disk, event => {
      if (event.type === 'goesOn') this.#told.push({ path: event.path, to_us: event.toUs })
    })
    const started = { host: HOST, run: id, flush_ms: 80, fsync_ms: 10_000, rotate_minutes: 60 }
    this.journal('started', started)
    this.journal('subscribed', { conn: 'd1', channels: Object.values(CHANNELS) })
    this.journal('live', { conn: 'd1', channels: FAMILIES.length })
  }

  journal(event: string, facts: object): void {
    this.send('journal', 'journal', [JSON.stringify({ event, ...facts })])
  }

  send(family: string, conn: string, frames: readonly string[], byUs = 0): void {
    const own = frames.map((frame): Line => {
      const seq = (this.#seqs.get(conn) ?? 0) + 1
      this.#seqs.set(conn, seq)
      const recvUs = (this.nowUs += 1000) + byUs
      return { family, conn, seq, recvUs, text: `${lineHead(recvUs, conn, seq, 'frame')}${frame}}` }
    })
    for (const [slot, lines] of groupBy(own, ({ recvUs }) => Math.floor(recvUs / HOUR_US))) {
      const [first, last] = [lines[0]?.recvUs ?? 0, lines.at(-1)?.recvUs ?? 0]
      const bytes = new Uint8Array(Buffer.from(lines.map(({ text }) => `${text}\n`).join('')))
      const span = { slotFromUs: slot * HOUR_US, slotToUs: (slot + 1) * HOUR_US, firstRecvUs: first, lastRecvUs: last }
      this.#run.store.handle({
        type: 'append',
        channel: family,
        group: `channel=${family}`,
        ...span,
        frames: lines.length,
        bytes,
      })
      this.#lines.push(...lines)
      this.#sent += lines.length
    }
  }

  /** To a moment, as far as the disk takes all that was sent until then. */
  async step(toUs: number): Promise<void> {
    await this.settled()
    this.nowUs = toUs
    const hasTurned = Math.floor(toUs / HOUR_US) !== Math.floor((toUs - STEP_US) / HOUR_US)
    this.#run.store.handle({ type: 'tick', nowUs: toUs })
    if (hasTurned) this.journal('subscriptions', { conn: 'd1', channels: Object.values(CHANNELS) })
    await this.settled()
  }

  async settled(): Promise<void> {
    do {
      for (const facts of this.#told) this.journal('goes_on', facts)
      this.#told = []
      await this.#run.until('stored', () => this.#run.storedFrames() === this.#sent)
    } while (this.#told.length > 0)
  }

  /** Until all is sealed whose hour is over, and what the run before left. */
  async sealed(dataDir: string): Promise<void> {
    const goesOn = (path: string) => {
      const parsed = parseSegmentPath(path)
      if (parsed?.state !== 'open' && parsed?.state !== 'rewriting') return true
      return parsed.name.run === this.#id && segmentEndMs(parsed.name) * 1000 > this.nowUs
    }
    await this.#run.until('sealed', () => rawFiles(dataDir).every(goesOn))
  }

  refuse(): void {
    this.#disk.failing.set('write', 'ENOSPC')
  }

  async accept(): Promise<void> {
    this.#disk.failing.clear()
    this.#run.store.handle({ type: 'tryNow' })
    await this.settled()
  }

  /** Its disk takes nothing from one moment to the next, as if it were no more. */
  async kill(): Promise<void> {
    for (const call of EVERY_CALL) this.#disk.failing.set(call, 'EIO')
    this.#run.store.handle({ type: 'close', withinMs: 0 })
    await this.#run.until('gone', () => this.#run.of('closed').length > 0)
  }

  async stop(): Promise<void> {
    this.journal('stopped', { reason: 'test' })
    await this.settled()
    t.same(await this.#run.close(), [], `${this.#id} is sealed`)
  }
}

const frameOf = (family: Family, text: string) =>
  `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${CHANNELS[family]}","data":{"instrument_name":"${NAME}","text":"${text}"}}}`

/** How many lines of a family come in a step: one of much, one of little that has bursts, two of little. */
function linesIn(family: Family, step: number, dice: () => number): number {
  if (family === 'quote') return 40
  if (family === 'trades') return Math.floor(step / 6) % 7 === 5 ? 60 : 1
  return family === 'book' ? 1 : dice() < 0.2 ? 1 : 0
}

async function record(
  dataDir: string,
  seed: number,
  long: LongSegments,
  seen: (nowUs: number, lines: readonly Line[]) => Promise<void>,
) {
  const dice = seeded(seed)
  const lines: Line[] = []
  let runs = 0
  const begin = (nowUs: number) =>
    new MadeRun(dataDir, `r${++runs}`, nowUs, dice() < 0.15 ? { hours: 1, bytes: 1 } : long, lines)
  let run = begin(BEGIN_US)
  for (let step = 1; step <= STEPS; step++) {
    const fate = dice()
    if (fate < 0.04) run.refuse()
    for (const family of FAMILIES) {
      const count = linesIn(family, step, dice)
      const texts = Array.from({ length: count }, () =>
        Array.from({ length: 6 }, () => dice().toString(36).slice(2)).join(''),
      )
      if (count > 0)
        run.send(
          family,
          'd1',
          texts.map(text => frameOf(family, text)),
        )
    }
    if (fate < 0.04) await run.accept()
    const toUs = BEGIN_US + step * STEP_US
    await run.step(toUs)
    if (fate > 0.97) {
      await (fate > 0.985 ? run.kill() : run.stop())
      run = begin(toUs + 5e6)
      await run.settled()
    }
    if (step % 41 !== 40) continue
    await run.sealed(dataDir)
    await seen(toUs, lines)
  }
  await run.stop()
  return lines
}

/** A copy has what is sealed. */
function copySealed(dataDir: string, copy: string): void {
  for (const path of rawFiles(dataDir)) {
    const state = parseSegmentPath(path)?.state
    if (state !== 'sealed' && state !== 'manifest') continue
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    linkSync(join(dataDir, path), join(copy, path))
  }
}

async function readFrom(path: string, span: { from?: string; to?: string } = {}): Promise<string[]> {
  const found: string[] = []
  for await (const { recvUs, conn, seq } of readFrames({ path, ...span })) found.push(`${recvUs} ${conn} ${seq}`)
  return found.sort()
}

const idOf = ({ recvUs, conn, seq }: Line) => `${recvUs} ${conn} ${seq}`
const timeOf = (us: number) => new Date(us / 1000).toISOString()

/** What was sent in an hour is in the copy, or the copy does not say that it was recorded. Returns how many lines are not there. */
async function requireHonest(t: Test, copy: string, nowUs: number, lines: readonly Line[]): Promise<number> {
  const had = new Set(await readFrom(copy))
  const thisHourUs = Math.floor(nowUs / HOUR_US) * HOUR_US
  let away = 0
  for (let fromUs = thisHourUs - HOUR_US; fromUs > thisHourUs - 7 * HOUR_US; fromUs -= HOUR_US) {
    const toUs = fromUs + HOUR_US
    const untrue = new Set<string>()
    const sent = lines.filter(line => line.recvUs >= fromUs && line.recvUs < toUs && line.conn === 'd1')
    const { groups } = await measureAccount(copy, { fromUs, toUs }, nowUs)
    const spansOf = new Map(groups.flatMap(({ channels, spans }) => channels.map(({ family }) => [family, spans])))
    for (const { family, ...line } of sent) {
      const span = spansOf.get(family)?.find(span => span.fromUs <= line.recvUs && line.recvUs < span.toUs)
      const isHere = had.has(idOf({ family, ...line }))
      if (!isHere) away++
      if (!isHere && span?.state === 'recorded') untrue.add(`${family} is not here, and told as recorded`)
      if (isHere && span?.state === 'missing') untrue.add(`${family} is here, and told as missing: ${span.cause}`)
    }
    t.same([...untrue], [], `of the hour of ${timeOf(fromUs)} at ${timeOf(nowUs)}`)
    t.ok(sent.length > 0, `asked of ${timeOf(fromUs)}`)
  }
  return away
}

for (const [seed, hours] of [
  [1, 24],
  [2, 6],
] as const) {
  t.test(`kills, stops, bursts, a full disk, in segments of up to ${hours} hours`, { timeout: 240_000 }, async t => {
    const folder = t.testdir({ box: { state: {} }, copies: {} })
    const box = join(folder, 'box')
    let away = 0
    const lines = await record(box, seed, { hours, bytes: 8000 }, async (nowUs, lines) => {
      const copy = join(folder, 'copies', String(nowUs))
      copySealed(box, copy)
      away += await requireHonest(t, copy, nowUs, lines)
    })
    const all = lines.map(idOf).sort()
    t.same(await readFrom(box), all, 'every line, once')
    for (const hour of [3, 8, 13, 20, 29]) {
      const [fromUs, toUs] = [hour, hour + 1].map(n => BEGIN_US + n * HOUR_US) as [number, number]
      const own = lines.filter(({ recvUs }) => recvUs >= fromUs && recvUs < toUs).map(idOf)
      t.same(await readFrom(box, { from: timeOf(fromUs), to: timeOf(toUs) }), own.sort(), `those of ${timeOf(fromUs)}`)
    }
    const names = rawFiles(box).flatMap(path => parseSegmentPath(path) ?? [])
    const sealed = names.filter(({ state }) => state === 'sealed').map(({ name }) => name)
    t.ok(sealed.some(({ ofDate }) => ofDate) && sealed.some(({ ofDate }) => !ofDate))
    t.notOk(
      sealed.some(({ channel, ofDate }) => channel === 'journal' && ofDate),
      'the journal goes on for an hour',
    )
    t.ok(names.every(({ state }) => state === 'sealed' || state === 'manifest'))
    const { stdout, stderr, exitCode } = await commandHere(['verify', 'raw', box])
    t.equal(exitCode, 0, `${stdout}${stderr}`)
    t.ok(away > 0, `copies lacked ${away} lines that were sent, and said so`)
    t.comment(`${lines.length} lines in ${sealed.length} segments`)
  })
}

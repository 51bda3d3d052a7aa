/** When recorded frames are played, and to whom; time is moved by hand, and the exchange is made up. */
import t, { type Test } from 'tap'
import { Playback, type PlaybackOptions, type PlaybackParts } from '../../../reader/replay/playback.js'
import type { RecordedGap } from '../../../reader/replay/recorded-gaps.js'
import { writeRecording } from '../../fixtures/made-recording.js'
import { movedTime, type Pass } from '../../fixtures/moved-time.js'

const START_US = Date.UTC(2026, 10, 22, 14) * 1000
const BTC = 'quote.BTC-PERPETUAL'
const ETH = 'quote.ETH-PERPETUAL'
const BOOK = 'book.BTC-PERPETUAL.raw'
const QUIET_MS = 1500
const LOOK_MS = 50

type Told = Record<'channel', string> & { what: unknown; atMs: number }

interface World {
  playback: Playback
  pass: Pass
  until: (what: string, isSo: () => boolean) => Promise<void>
  nowMs: () => number
  client: () => { told: Told[]; deliver: (channel: string, frame: Buffer) => void }
  gaps: RecordedGap[]
  set: { unsentBytes: number }
  asked: [what: string, second: number][]
  ended: () => boolean
}

const second = (us: number) => (us - START_US) / 1e6
const frameText = (channel: string, s: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method: 'subscription', params: { channel, data: { s } } })
const secondIn = (frame: Buffer) => (JSON.parse(frame.toString()) as { params: { data: { s: number } } }).params.data.s

interface Recorded {
  frames: Record<string, readonly number[]>
  outages?: readonly RecordedGap[]
  hasJournal?: boolean
  sourcesOf?: (asked: string) => readonly string[]
  reframed?: (asked: string, frame: Buffer) => Buffer | undefined
}

async function played(
  t: Test,
  recorded: Recorded,
  asked: Partial<PlaybackOptions>,
  run: (world: World) => Promise<void>,
) {
  const path = t.testdir({})
  const { frames, outages = [], hasJournal = false } = recorded
  const lines = Object.entries(frames).flatMap(([channel, seconds]) =>
    seconds.map(s => {
      const family = channel.split('.')[0] ?? ''
      return { family, conn: 'd1', recvUs: START_US + s * 1e6, frame: frameText(channel, s) }
    }),
  )
  lines.sort((a, b) => a.recvUs - b.recvUs)
  writeRecording(path, lines)
  const gaps: RecordedGap[] = []
  const set = { unsentBytes: 0 }
  const questions: World['asked'] = []
  const shown = async <T>(what: string, channels: readonly string[], atUs: number, as: (name: string) => T) => {
    if (channels.length > 0) questions.push([`${what} ${[...channels].sort().join()}`, second(atUs)])
    await Promise.resolve()
    return new Map(channels.map(name => [name, as(name)]))
  }
  const parts = {
    protocol: {
      isBook: (channel: string) => channel.startsWith('book.'),
      beginsWithLast: (channel: string) => channel.startsWith('quote.'),
      snapshot: (channel: string, { changeId }: { changeId: number }) => frameText(channel, `${channel} ${changeId}`),
      reframed: recorded.reframed ?? (() => undefined),
      trades: { families: [], tradesOf: () => [], carries: () => false, frame: () => '' },
    },
    sourcesOf: recorded.sourcesOf ?? ((channel: string) => [channel]),
    past: {
      books: (channels: string[], atUs: number) => shown('books', channels, atUs, () => ({ changeId: second(atUs) })),
      lasts: (channels: string[], atUs: number) =>
        shown('lasts', channels, atUs, name => Buffer.from(frameText(name, `last ${name}`))),
    },
    gaps: { hasJournal, outages: () => outages.map(gap => ({ ...gap })) },
    recorded: { isTakenTwice: () => false },
    answers: { isAnswer: () => false, take: () => undefined },
    unsentBytes: () => set.unsentBytes,
  } as unknown as PlaybackParts
  await movedTime(async pass => {
    const startMs = performance.now()
    const nowMs = () => performance.now() - startMs
    const options = { path, fromUs: START_US, toUs: START_US + 3600e6, speed: 1, loop: false }
    const playback = new Playback({ ...options, onGap: gap => void gaps.push(gap), ...asked }, parts)
    let isEnded = false
    const ended = playback.run().finally(() => (isEnded = true))
    const until = async (what: string, isSo: () => boolean) => {
      for (let n = 0; n < 20_000 && !isSo(); n++) await pass(LOOK_MS)
      if (!isSo()) throw new Error(`in vain: ${what}`)
    }
    const client = () => {
      const told: Told[] = []
      const deliver = (channel: string, frame: Buffer) => {
        told.push({ channel, what: secondIn(frame), atMs: nowMs() })
      }
      return { told, deliver }
    }
    await run({ playback, pass, until, nowMs, client, gaps, set, asked: questions, ended: () => isEnded })
    playback.stop()
    await until('the end', () => isEnded)
    await ended
  })
}

const whats = (told: readonly Told[]) => told.map(({ what }) => what)

t.test('playing begins when all who come have subscribed, and each gets what it asked for', async t => {
  await played(
    t,
    { frames: { [BTC]: [0, 10], [ETH]: [1, 5] } },
    {},
    async ({ playback, pass, until, client, ended }) => {
      const [one, other] = [client(), client()]
      await pass(5000)
      playback.subscribe(BTC, one)
      await pass(1000)
      playback.subscribe(BTC, other)
      playback.subscribe(ETH, other)
      await pass(QUIET_MS - 2 * LOOK_MS)
      t.same([...one.told, ...other.told], [], 'more may come')
      await until('the end', ended)
      t.same(whats(one.told), [0, 10])
      t.same(whats(other.told), [0, 1, 5, 10])
      t.ok((one.told[0]?.atMs ?? 0) >= 6000 + QUIET_MS)
      t.equal(playback.framesSent, 4, 'a frame counts once, however many take it')
      t.equal(second(playback.positionUs), 10)
    },
  )
})

t.test('while nobody listens the recording waits, and goes on from there', async t => {
  await played(
    t,
    { frames: { [BTC]: [0, 10, 20, 30] } },
    {},
    async ({ playback, pass, until, client, ended, nowMs }) => {
      const [one, other] = [client(), client()]
      playback.subscribe(BTC, one)
      await until('ten seconds', () => one.told.length === 2)
      playback.unsubscribe(BTC, one)
      await pass(600_000, 1000)
      t.equal(second(playback.positionUs), 10)
      playback.subscribe(BTC, other)
      const cameMs = nowMs()
      await until('the end', ended)
      t.same(whats(other.told), [20, 30], 'nothing was played to nobody')
      const [first, next] = other.told
      t.ok((first?.atMs ?? 0) - cameMs <= QUIET_MS + 3 * LOOK_MS, 'the next one is due at once')
      t.ok(Math.abs((next?.atMs ?? 0) - (first?.atMs ?? 0) - 10_000) <= 2 * LOOK_MS, 'then at their distance')
      t.same(whats(one.told), [0, 10])
    },
  )
})

t.test('a client that does not take what it is sent holds up the playing, not its memory', async t => {
  const seconds = Array.from({ length: 50 }, (_, n) => n / 10)
  await played(
    t,
    { frames: { [BTC]: seconds } },
    { speed: 0 },
    async ({ playback, pass, until, client, ended, set }) => {
      const one = client()
      playback.subscribe(BTC, {
        deliver: (channel, frame) => {
          one.deliver(channel, frame)
          if (one.told.length === 7) set.unsentBytes = 1024 * 1024 + 1
        },
      })
      await until('some frames', () => one.told.length > 0)
      await pass(60_000, 500)
      t.equal(one.told.length, 7)
      set.unsentBytes = 1024 * 1024
      await until('the end', ended)
      t.same(whats(one.told), seconds, 'and nothing is left out')
    },
  )
})

t.test('who comes in the middle is shown first how all stands, once', async t => {
  const frames = { [BTC]: [0, 10, 20], [BOOK]: [0, 10, 20], [ETH]: [0, 10, 20] }
  for (const hasJournal of [true, false])
    await played(t, { frames, hasJournal }, {}, async ({ playback, until, client, ended, asked }) => {
      const [one, other, gone] = [client(), client(), client()]
      playback.subscribe(ETH, one)
      await until('ten seconds', () => one.told.some(({ what }) => what === 10))
      asked.length = 0
      for (const late of [other, gone]) for (const channel of [BTC, BOOK]) playback.subscribe(channel, late)
      for (const channel of [BTC, BOOK]) playback.unsubscribe(channel, gone)
      await until('the end', ended)
      t.same(gone.told, [], 'who left before it was shown is shown nothing')
      const first = hasJournal ? [`${BOOK} 10`, `last ${BTC}`] : [`${BOOK} 10`]
      t.same(whats(other.told).slice(0, first.length).sort(), first, 'without a journal nobody knows what is stale')
      t.same(whats(other.told).slice(first.length), [20, 20], 'then what comes')
      t.same(asked, [[`books ${BOOK}`, 10], ...(hasJournal ? [[`lasts ${BTC}`, 10]] : [])], 'asked once for all')
    })
})

t.test('outages are told when playing comes to them, each once in each round', async t => {
  const outages = [
    { fromUs: START_US + 5e6, toUs: START_US + 8e6, cause: 'cut' },
    { fromUs: START_US + 12e6, toUs: START_US + 13e6, cause: 'silent' },
    { fromUs: START_US + 500e6, toUs: START_US + 501e6, cause: 'behind all that is played' },
  ]
  await played(t, { frames: { [BTC]: [0, 4, 9, 20] }, outages }, { loop: true }, async world => {
    const { playback, until, client, gaps } = world
    const one = client()
    playback.subscribe(BTC, one)
    await until('the one before', () => one.told.length === 2)
    await world.pass(500)
    t.same(
      gaps.map(({ cause }) => cause),
      ['cut'],
      'told as soon as nothing more is to come of before',
    )
    await until('the end of a round', () => one.told.length >= 4)
    t.same(
      gaps.map(({ cause }) => cause),
      ['cut', 'silent'],
    )
    await until('another round', () => one.told.length >= 8)
    t.same(whats(one.told).slice(0, 8), [0, 4, 9, 20, 0, 4, 9, 20])
    t.same(
      gaps.map(({ cause }) => cause),
      ['cut', 'silent', 'cut', 'silent'],
    )
  })
})

t.test('each round begins with how all stands; nobody is asked about the end of the one before', async t => {
  await played(
    t,
    { frames: { [BOOK]: [0, 3] }, hasJournal: true },
    { loop: true },
    async ({ playback, until, client, asked }) => {
      const one = client()
      playback.subscribe(BOOK, one)
      await until('three rounds', () => one.told.length >= 9)
      const before = -1e-6
      t.same(whats(one.told).slice(0, 6), [`${BOOK} ${before}`, 0, 3, `${BOOK} ${before}`, 0, 3])
      t.strictSame([...new Set(asked.map(([, atS]) => atS))], [before], JSON.stringify(asked))
    },
  )
})

t.test('one asked for by another name is told as that; frames that are none of it are left out', async t => {
  const asked = 'quote.100ms'
  const reframed = (channel: string, frame: Buffer) => {
    const s = secondIn(frame)
    return s % 2 === 0 ? Buffer.from(frameText(channel, `${channel} ${s}`)) : undefined
  }
  const sourcesOf = (channel: string) => (channel === asked ? [BTC] : [channel])
  await played(
    t,
    { frames: { [BTC]: [0, 1, 2, 3] }, sourcesOf, reframed },
    {},
    async ({ playback, until, client, ended }) => {
      const [one, other] = [client(), client()]
      playback.subscribe(asked, one)
      playback.subscribe(BTC, other)
      await until('the end', ended)
      t.same(
        one.told.map(({ channel, what }) => [channel, what]),
        [
          [asked, `${asked} 0`],
          [asked, `${asked} 2`],
        ],
      )
      t.same(whats(other.told), [0, 1, 2, 3], 'the other is told as it was')
    },
  )
})

t.test('told to stop, it ends at once, in whatever it waits for', async t => {
  for (const [what, isListening] of [
    ['for somebody', false],
    ['for the next frame, a day away', true],
  ] as const)
    await played(t, { frames: { [BTC]: [0, 3000] } }, {}, async ({ playback, pass, client, ended }) => {
      const one = client()
      if (isListening) playback.subscribe(BTC, one)
      await pass(5000)
      t.notOk(ended(), what)
      playback.stop()
      await pass(3 * LOOK_MS)
      t.ok(ended(), what)
      t.same(whats(one.told), isListening ? [0] : [])
    })
})

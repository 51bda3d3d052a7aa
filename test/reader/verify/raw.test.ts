import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { compress, decompress } from 'zstd-napi'
import { Findings, type Finding } from '../../../reader/verify/findings.js'
import { Round } from '../../../reader/verify/round.js'
import { rawProof } from '../../../reader/verify/raw/main.js'
import { parseManifest } from '../../../formats/manifest.js'
import { withState } from '../../../formats/raw-path.js'
import { sealSegment } from '../../../recorder/storage/seal-segment.js'
import { localDisk } from '../../../platform/disk.js'
import { atOnce } from '../../../platform/disk-steps.js'
import { commandHere } from '../../fixtures/command-here.js'
import { dataLine, journalLine, RUN_STARTED_US, wholeRun, writeRun, type RunLine } from '../../fixtures/raw-run.js'
import { matchAll } from '../../fixtures/match-all.js'

const FRAMES = 90

async function proven(path: string): Promise<{ found: Finding[]; text: string; facts: Record<string, number> }> {
  const found: Finding[] = []
  const findings = new Findings(finding => found.push(finding))
  const nothing = () => undefined
  const startProgress = () => ({
    advance: nothing,
    reach: nothing,
    aside: (print: () => void) => print(),
    stop: nothing,
  })
  const round = new Round({ place: path, proof: 'raw' })
  const { signal } = new AbortController()
  const result = await rawProof.prove(path, { findings, startProgress, config: '', round, signal })
  return { found, ...result }
}

const codes = (found: Finding[], weight: Finding['weight']) =>
  [...new Set(found.filter(finding => finding.weight === weight).map(({ code }) => code))].sort()

/** Writes a segment anew with changed lines, and its manifest with whatever then is true of the file. */
function rewrite(dataDir: string, path: string, change: (lines: string[]) => string[]): void {
  const lines = decompress(readFileSync(join(dataDir, path)))
    .toString()
    .split('\n')
    .slice(0, -1)
  rmSync(join(dataDir, path))
  rmSync(join(dataDir, withState(path, 'manifest')))
  const text = change(lines)
    .map(line => `${line}\n`)
    .join('')
  writeFileSync(join(dataDir, withState(path, 'open')), compress(Buffer.from(text), { checksumFlag: true }))
  atOnce(localDisk, sealSegment({ disk: localDisk, dataDir, path: withState(path, 'open'), level: 3, gaps: [] }))
}

function editManifest(dataDir: string, path: string, change: object): void {
  const file = join(dataDir, withState(path, 'manifest'))
  writeFileSync(file, JSON.stringify({ ...parseManifest(readFileSync(file, 'utf8'), file), ...change }))
}

t.test('a whole run: nothing to complain about, from the command line, too', async t => {
  const dataDir = t.testdir()
  writeRun(dataDir, wholeRun(FRAMES))
  const { found, facts } = await proven(dataDir)
  t.same(found, [])
  t.match(facts, { runs: 1, segments: 3, openSegments: 0, frames: FRAMES + 2, connections: 2 })
  const { stdout, stderr, exitCode } = await commandHere(['verify', dataDir])
  t.equal(
    stdout,
    'raw: 3 segments (0 open), runs: 1, 92 frames, 13.7 KiB; seq of 2 connections\nno fault, 0 unproven, 0 notes',
  )
  t.equal(stderr, '')
  t.equal(exitCode, 0)
})

interface Damage {
  name: string
  /** `quote` is the damaged segment. */
  damage: (dataDir: string, quote: string) => void
  faults: string[]
  /** Line of the first fault. */
  line?: number
}

const file = (dataDir: string, path: string) => join(dataDir, path)
const without = (index: number) => (lines: string[]) => lines.filter((_, at) => at !== index)
const replaced = (index: number, from: string | RegExp, to: string) => (lines: string[]) =>
  lines.map((line, at) => (at === index ? line.replace(from, to) : line))

const damages: Damage[] = [
  {
    name: 'a flipped bit',
    damage: (dataDir, quote) => {
      const bytes = readFileSync(file(dataDir, quote))
      bytes[200] = (bytes[200] ?? 0) ^ 1
      writeFileSync(file(dataDir, quote), bytes)
    },
    faults: ['MANIFEST_UNTRUE', 'ZSTD_DAMAGED'],
  },
  {
    name: 'bytes behind the end',
    damage: (dataDir, quote) => appendFileSync(file(dataDir, quote), 'x'),
    faults: ['MANIFEST_UNTRUE', 'ZSTD_DAMAGED'],
  },
  {
    name: 'two zstd frames',
    damage: (dataDir, quote) => appendFileSync(file(dataDir, quote), compress(Buffer.from(''), { checksumFlag: true })),
    faults: ['MANIFEST_UNTRUE', 'ZSTD_FRAMES'],
  },
  {
    name: 'a zstd frame without checksum',
    damage: (dataDir, quote) =>
      writeFileSync(file(dataDir, quote), compress(decompress(readFileSync(file(dataDir, quote))))),
    faults: ['MANIFEST_UNTRUE', 'ZSTD_NO_CHECKSUM'],
  },
  {
    name: 'not zstd at all',
    damage: (dataDir, quote) => writeFileSync(file(dataDir, quote), 'no zstd at all, but longer than a head'),
    faults: ['MANIFEST_UNTRUE', 'ZSTD_DAMAGED', 'ZSTD_HEAD'],
  },
  {
    name: 'no manifest',
    damage: (dataDir, quote) => rmSync(file(dataDir, withState(quote, 'manifest'))),
    faults: ['MANIFEST_MISSING'],
  },
  {
    name: 'a manifest that is no JSON',
    damage: (dataDir, quote) => writeFileSync(file(dataDir, withState(quote, 'manifest')), '{'),
    faults: ['MANIFEST_INVALID'],
  },
  {
    name: 'a manifest of a later format',
    damage: (dataDir, quote) =>
      writeFileSync(file(dataDir, withState(quote, 'manifest')), '{"format_version":99,"all":"else may differ"}'),
    faults: ['MANIFEST_TOO_NEW'],
  },
  {
    name: 'counts that are not true',
    damage: (dataDir, quote) => editManifest(dataDir, quote, { frames: 3, first_recv_us: 1 }),
    faults: ['MANIFEST_UNTRUE'],
  },
  {
    name: 'a frame left out',
    damage: (dataDir, quote) => rewrite(dataDir, quote, without(10)),
    faults: ['SEQ_HOLE'],
    line: 11,
  },
  {
    name: 'the first frame left out',
    damage: (dataDir, quote) => rewrite(dataDir, quote, without(0)),
    faults: ['SEQ_HOLE'],
    line: 1,
  },
  {
    name: 'a frame twice',
    damage: (dataDir, quote) => rewrite(dataDir, quote, lines => [...lines.slice(0, 8), ...lines.slice(7)]),
    faults: ['SEQ_ORDER', 'SEQ_TWICE'],
    line: 9,
  },
  {
    name: 'frames in the wrong order',
    damage: (dataDir, quote) =>
      rewrite(dataDir, quote, lines => [lines[0] ?? '', lines[2] ?? '', lines[1] ?? '', ...lines.slice(3)]),
    faults: ['RECV_BACK', 'SEQ_ORDER'],
    line: 3,
  },
  {
    name: 'a receive time that goes back',
    damage: (dataDir, quote) =>
      rewrite(dataDir, quote, replaced(5, /"recv_us":\d+/, `"recv_us":${RUN_STARTED_US + 1}`)),
    faults: ['RECV_BACK'],
    line: 6,
  },
  {
    name: 'a line that is no JSON',
    damage: (dataDir, quote) => rewrite(dataDir, quote, replaced(3, '"params"', 'params')),
    faults: ['LINE_NOT_JSON'],
    line: 4,
  },
  {
    name: 'a line that is not UTF-8',
    damage: (dataDir, quote) => {
      const bytes = decompress(readFileSync(file(dataDir, quote)))
      bytes[bytes.indexOf('BTC')] = 0xff
      writeFileSync(file(dataDir, quote), compress(bytes, { checksumFlag: true }))
    },
    faults: ['LINE_NOT_UTF8', 'MANIFEST_UNTRUE'],
    line: 1,
  },
  {
    name: 'a line that is not ours',
    damage: (dataDir, quote) => rewrite(dataDir, quote, lines => [...lines, '{"hello":1}']),
    faults: ['LINE_HEAD'],
    line: 61,
  },
  {
    name: 'a segment under the name of another time',
    damage: (dataDir, quote) => {
      for (const path of [quote, withState(quote, 'manifest')])
        renameSync(file(dataDir, path), file(dataDir, path.replace('T140000Z', 'T140003Z')))
    },
    faults: ['NAME_TIME'],
    line: 1,
  },
  {
    name: 'a segment under the name of another family',
    damage: (dataDir, quote) => {
      const folder = (path: string) => path.replace('channel=quote', 'channel=book')
      mkdirSync(dirname(file(dataDir, folder(quote))), { recursive: true })
      for (const path of [quote, withState(quote, 'manifest')])
        renameSync(file(dataDir, path), file(dataDir, folder(path)))
    },
    faults: ['MANIFEST_UNTRUE'],
  },
  {
    name: 'a segment copied under another number',
    damage: (dataDir, quote) => {
      for (const path of [quote, withState(quote, 'manifest')])
        copyFileSync(file(dataDir, path), file(dataDir, path.replace('-2.json', '-9.json')))
    },
    faults: ['MANIFEST_UNTRUE', 'SEQ_ORDER', 'SEQ_TWICE', 'RECV_BACK'].sort(),
  },
]

for (const { name, damage, faults, line } of damages) {
  t.test(`fault: ${name}`, async t => {
    const dataDir = t.testdir()
    const quote = writeRun(dataDir, wholeRun(FRAMES)).paths.get('quote') ?? ''
    damage(dataDir, quote)
    const { found } = await proven(dataDir)
    t.same(codes(found, 'fault'), faults)
    if (line !== undefined)
      t.match(
        found.find(({ line }) => line !== undefined),
        { line, path: /channel=quote.*zst$/ },
      )
    const others = found.filter(
      ({ path, weight }) => weight === 'fault' && !path.includes('channel=') && !path.startsWith('run '),
    )
    t.same(others, [], 'every fault names its file')
  })
}

t.test('a segment that someone removed with its manifest was no fault', async t => {
  const dataDir = t.testdir({ state: {} })
  const subscribed = {
    event: 'subscribed',
    conn: 'd1',
    channels: ['quote.BTC-PERPETUAL', 'trades.BTC-PERPETUAL.100ms'],
  }
  const told = journalLine(3, RUN_STARTED_US + 1000 * (FRAMES + 2), subscribed)
  const book = { ...dataLine(FRAMES), family: 'book', seq: FRAMES + 1, frame: '{}' }
  const { paths } = writeRun(dataDir, [...wholeRun(FRAMES), told, book])
  t.same(codes((await proven(dataDir)).found, 'fault'), [])
  const path = join(dataDir, paths.get('trades') ?? '')
  for (const file of [path, withState(path, 'manifest')]) rmSync(file)
  const { found } = await proven(dataDir)
  t.same(codes(found, 'fault'), ['VANISHED'])
  t.match(found.find(({ code }) => code === 'VANISHED')?.message, /of trades is gone without a record/)
  rmSync(join(dataDir, 'state'), { recursive: true })
  t.same(codes((await proven(dataDir)).found, 'fault'), [], 'a copy need not have all')
})

t.test('what is declared is no fault, and is said', async t => {
  const folder = t.testdir({ lost: {}, gone: {}, killed: {}, open: {}, copy: {} })
  const lines = wholeRun(FRAMES)
  const isLost = ({ conn, seq }: RunLine) => conn === 'd1' && seq > 40 && seq <= 50
  const lost = { event: 'lost', channel: 'quote', from_us: dataLine(41).recvUs, to_us: dataLine(50).recvUs, frames: 10 }
  const journalled = [
    ...lines.slice(0, -1),
    journalLine(2, dataLine(89).recvUs, lost),
    journalLine(3, dataLine(91).recvUs, { event: 'stopped' }),
  ]

  writeRun(
    join(folder, 'lost'),
    journalled.filter(line => !isLost(line)),
  )
  let { found } = await proven(join(folder, 'lost'))
  matchAll(t, found, [{ weight: 'note', code: 'SEQ_LOST', message: /^10 frames of d1/ }])

  const { paths } = writeRun(join(folder, 'gone'), lines)
  for (const state of ['sealed', 'manifest'] as const)
    rmSync(join(folder, 'gone', withState(paths.get('quote') ?? '', state)))
  found = (await proven(join(folder, 'gone'))).found
  matchAll(t, found, [{ weight: 'unproven', code: 'SEQ_SEGMENTS_MISSING', message: /^60 frames .* in segment 2 / }])
  t.equal((await commandHere(['verify', join(folder, 'gone')])).exitCode, 0)

  writeRun(
    join(folder, 'killed'),
    lines.slice(0, -1).filter(({ family, seq }) => family !== 'quote' || seq < 80),
  )
  found = (await proven(join(folder, 'killed'))).found
  t.same(codes(found, 'fault'), [])
  matchAll(
    t,
    found,
    [{ weight: 'unproven', code: 'SEQ_SEGMENTS_MISSING', message: /segments 4 and later/ }],
    'a copy: more may follow',
  )
  mkdirSync(join(folder, 'killed', 'state'))
  found = (await proven(join(folder, 'killed'))).found
  matchAll(t, found, [{ weight: 'note', code: 'SEQ_TAIL' }], 'where it was written: the kill took them')

  const open = writeRun(join(folder, 'open'), lines.slice(0, -1), 'open').paths.get('quote') ?? ''
  appendFileSync(join(folder, 'open', open), compress(Buffer.from('more')).subarray(0, 9))
  found = (await proven(join(folder, 'open'))).found
  t.same(codes(found, 'fault'), [])
  t.same(codes(found, 'note'), ['OPEN'])
  t.match(
    found.find(({ path }) => path === open),
    { message: /proven up to its last flush .*, and 3 bytes behind it/ },
  )

  cpSync(join(folder, 'gone'), join(folder, 'copy'), { recursive: true })
  const trades = paths.get('trades') ?? ''
  for (const part of ['raw', dirname(trades), trades, withState(trades, 'manifest')]) {
    const place = join(folder, 'copy', part)
    t.same(codes((await proven(place)).found, 'fault'), [], part)
    if (part !== 'raw') t.same(codes((await proven(place)).found, 'unproven'), ['SEQ_PART_ONLY'], part)
  }
})

/** A run whose clock is set back by so much, with answers over HTTP before and behind it; of each family a segment before and one behind. */
function writeSetBack(dataDir: string, backUs: number, { isJournalled = true, conn = 'http' } = {}): void {
  const answer = (seq: number, recvUs: number): RunLine => ({ family: 'instruments', conn, seq, recvUs, frame: '{}' })
  const setUs = RUN_STARTED_US + 5_000_000
  const began = { event: 'started', flush_ms: 1000, fsync_ms: 1000, rotate_minutes: 60 }
  const stepped = isJournalled ? { event: 'clock_step', step_us: -backUs } : { event: 'heard' }
  writeRun(dataDir, [
    journalLine(1, RUN_STARTED_US, began),
    answer(1, RUN_STARTED_US + 1_000_000),
    answer(2, RUN_STARTED_US + 4_900_000),
  ])
  const after = [
    journalLine(2, setUs - backUs, stepped),
    answer(3, setUs - backUs - 300_000),
    answer(4, setUs - backUs + 600_000_000),
    journalLine(3, setUs + 700_000_000, { event: 'stopped' }),
  ]
  writeRun(dataDir, after, 'sealed', 3)
}

t.test('a clock that was set back is no fault where the journal says so', async t => {
  const folder = t.testdir()
  for (const minutes of [1, 60, 15 * 60]) {
    const dataDir = join(folder, String(minutes))
    writeSetBack(dataDir, minutes * 60_000_000)
    t.same((await proven(dataDir)).found, [], `by ${minutes} minutes, also into the day before`)
  }
  writeSetBack(join(folder, 'fetched'), 60_000_000, { conn: 'backfill' })
  t.same((await proven(join(folder, 'fetched'))).found, [], 'trades that were fetched for a hole')
  writeSetBack(join(folder, 'unsaid'), 60_000_000, { isJournalled: false })
  t.same(codes((await proven(join(folder, 'unsaid'))).found, 'fault'), ['RECV_BACK'])
  writeSetBack(join(folder, 'socket'), 60_000_000, { conn: 'd1' })
  t.same(codes((await proven(join(folder, 'socket'))).found, 'fault'), ['RECV_BACK'], 'a WebSocket is renewed instead')
})

t.test('a file that is wrong all over does not flood', async t => {
  const dataDir = t.testdir()
  const quote = writeRun(dataDir, wholeRun(FRAMES)).paths.get('quote') ?? ''
  rewrite(dataDir, quote, lines => lines.map(line => line.replace('"params"', 'params')))
  const { stdout, exitCode } = await commandHere(['verify', dataDir, '--json'])
  const found = stdout.split('\n').map(line => JSON.parse(line) as Record<string, unknown>)
  t.equal(found.filter(({ code }) => code === 'LINE_NOT_JSON').length, 21)
  t.match(
    found.find(({ message }) => String(message).startsWith('…')),
    { message: '… and 40 more like these' },
  )
  t.match(found.at(-1), { type: 'result', ok: false, faults: 60 })
  t.equal(exitCode, 1)
})

t.test('what cannot be proven is said plainly', async t => {
  const folder = t.testdir({ other: { 'x.txt': '' } })
  t.match(await commandHere(['verify', join(folder, 'nowhere')]), {
    exitCode: 1,
    stderr: /^edgetape: nothing to prove in /,
  })
  t.match(await commandHere(['verify', 'raw', join(folder, 'nowhere')]), {
    exitCode: 1,
    stderr: /^edgetape: no file or folder /,
  })
  t.match(await commandHere(['verify', 'raw', join(folder, 'other')]), { exitCode: 1, stderr: /no raw\/ in or above/ })
  t.match(await commandHere(['verify', 'bones', folder]), { exitCode: 2, stderr: /found bones, wanted one of: raw/ })
})

/** What parts say of themselves, read by other versions, while it is written, and damaged. A failure prints its seed. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import type { z } from 'zod'
import { parseManifest, SEGMENT_FORMAT_VERSION } from '../../formats/manifest.js'
import { compactorStatus, monitorStatus, recorderStatus, syncerStatus } from '../../formats/part-status.js'
import { readPulse } from '../../formats/pulse.js'
import { readStatus, statePath, StatusWriter, writeStatus } from '../../formats/status.js'
import { EdgeError } from '../../platform/edge-error.js'
import { matchAll } from '../fixtures/match-all.js'
import { memoryFolder } from '../fixtures/memory-folder.js'
import { holds } from '../fixtures/holds.js'

const root = memoryFolder(t)
const AT = '2026-11-22T14:00:00.000Z'
const AT_MS = Date.parse(AT)

const RECORDER = {
  ...{ exchange: 'deribit', run: 'r1', host: 'h1', frames: 10, bytes: 100, stored_frames: 9, lost_frames: 0 },
  ...{ disk_error: null, waiting_bytes: 5, exchange_offset_us: -3, not_offered: ['X'], channels_planned: 2 },
  families: {
    trades: { frames: 3, bytes: 30, last_frame_at: AT, lag_ms: 1.5, lag: { sum: 1, buckets: { '0.1': 3 } } },
  },
  shown: [{ name: 'BTC', price: 1, at: AT }],
  connections: [
    { name: 'd1', state: 'live', frames: 3, last_frame_at: AT, last_error: { message: 'closed', hint: null } },
  ],
}
const COMPACTOR = {
  current_segment: 'raw/x',
  backlog_segments: 1,
  rows: { trades: 5 },
  last_error: 'no room',
  quarantined: 2,
}
const SYNCER = { state: 'uploading', target: '/mnt/nas', backlog_files: 3, verified_through: AT, problems: [{ path: 'a', reason: 'b' }], last_error: null } // prettier-ignore

const parts: [name: string, schema: z.ZodType, told: Record<string, unknown>][] = [
  ['recorder', recorderStatus, RECORDER],
  ['compactor', compactorStatus, COMPACTOR],
  ['syncer', syncerStatus, SYNCER],
  ['monitor', monitorStatus, { url: 'http://127.0.0.1:9464/' }],
]

for (const [name, schema, told] of parts)
  t.test(`of what the ${name} says one field that nobody understands takes no other with it`, t => {
    const whole = schema.parse(told) as Record<string, unknown>
    const junk = fc.oneof(fc.jsonValue(), fc.constantFrom(null, '', 'soon', -1, '2026-02-30', [null], { message: 5 }))
    holds(
      t,
      fc.property(
        fc.constantFrom(...Object.keys(told)),
        junk,
        fc.dictionary(fc.string(), fc.jsonValue()),
        (field, junk, more) => {
          const read = schema.parse({ ...more, ...told, [field]: junk }) as Record<string, unknown>
          for (const other of Object.keys(told)) if (other !== field) assert.deepEqual(read[other], whole[other], other)
        },
      ),
      { numRuns: 300 },
    )
    t.same(Object.keys(schema.parse({}) as object).filter(key => !['not_offered', 'families', 'shown', 'connections', 'rows', 'problems'].includes(key)), [], 'nothing told is nothing known') // prettier-ignore
    t.end()
  })

t.test('moments, failures and lists are what was told, in one spelling', t => {
  matchAll(t, recorderStatus.parse(RECORDER), {
    disk_error: undefined,
    families: { trades: { last_frame_at: AT_MS, lag: { sum: 1 } } },
    connections: [{ last_error: 'closed', last_frame_at: AT_MS }],
    shown: [{ at: AT_MS }],
  })
  t.equal(compactorStatus.parse({ last_error: { message: 'full', hint: 'make room' } }).last_error, 'full')
  t.equal(compactorStatus.parse({ last_error: '' }).last_error, undefined)
  t.equal(syncerStatus.parse({ verified_through: 'yesterday' }).verified_through, undefined)
  t.same(syncerStatus.parse({ problems: 'none' }).problems, [])
  t.end()
})

t.test('a status that is cut, empty or no object was the end of whoever read it', t => {
  rmSync(join(root, 'state'), { recursive: true, force: true })
  t.equal(readStatus(root, 'recorder'), undefined, 'one that never ran')
  writeStatus(root, 'recorder', { frames: 7 }, 'okx')
  t.equal(readStatus(root, 'recorder'), undefined)
  t.match(readStatus(root, 'recorder', 'okx'), {
    part: 'recorder',
    pid: process.pid,
    frames: 7,
    written_at: /^20/,
    started_at: /^20/,
  })
  t.same(readdirSync(join(root, 'state')), ['recorder.okx.json'], 'nothing else is left')
  const path = statePath(root, 'recorder')
  const text = JSON.stringify({ part: 'recorder', frames: 7 })
  for (const damaged of [
    '',
    '[]',
    '5',
    'null',
    '"x"',
    '\u0000\u0000',
    ...Array.from(text, (_, at) => text.slice(0, at)),
  ]) {
    writeFileSync(path, damaged)
    const read = readStatus(root, 'recorder')
    if (read !== undefined) t.fail(damaged)
    t.equal(recorderStatus.parse(read ?? {}).frames, undefined)
  }
  t.end()
})

t.test('a status is the last one that was written, also where the disk was busy with one before it', async t => {
  const writer = new StatusWriter(root, 'syncer')
  const first = writer.write({ n: 1 })
  await writer.write({ n: 2 })
  await first
  t.match(readStatus(root, 'syncer'), { n: 1 }, 'one that comes meanwhile is left out: the next second has another')
  const again = writer.write({ n: 3 })
  t.equal(await writer.writeLast({ n: 4 }, 60_000), true)
  await again
  t.match(readStatus(root, 'syncer'), { n: 4, part: 'syncer' })
})

t.test('a sign of life is whole or none', t => {
  const sign = { pid: 1, at: AT, did: 'x', rss_bytes: 1, heap_bytes: 1, heap_limit_bytes: 1, cpu_seconds: 0.5, loop_delay_seconds: 0 } // prettier-ignore
  const path = statePath(root, 'pulse-recorder')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, JSON.stringify({ ...sign, of_a_later_version: true }))
  t.same(readPulse(root, 'recorder'), sign)
  for (const field of Object.keys(sign)) {
    writeFileSync(path, JSON.stringify({ ...sign, [field]: undefined }))
    t.equal(readPulse(root, 'recorder'), undefined, `without ${field}`)
    writeFileSync(path, JSON.stringify({ ...sign, [field]: null }))
    t.equal(readPulse(root, 'recorder'), undefined, `with no ${field}`)
  }
  writeFileSync(path, JSON.stringify({ ...sign, at: 'noon' }))
  t.equal(readPulse(root, 'recorder'), undefined)
  t.equal(readPulse(root, 'recorder', 'okx'), undefined)
  t.end()
})

const MANIFEST = {
  ...{ format_version: SEGMENT_FORMAT_VERSION, edgetape: '0.1.0', exchange: 'deribit', channel: 'trades', host: 'h1', run: 'r1', number: 1 }, // prettier-ignore
  ...{ frames: 2, bytes_raw: 10, bytes_compressed: 5, sha256: 'a'.repeat(64), md5: 'b'.repeat(32), first_recv_us: 1, last_recv_us: 2 }, // prettier-ignore
  connections: { d1: { frames: 2, first_seq: 1, last_seq: 2 } },
  gaps: [{ from_us: 1, to_us: 2, conn: 'd1', cause: 'closed', also: ['d2'] }],
  recovered: { torn_bytes: 1, cut_lines: 0 },
}

t.test(
  'a manifest is what it says, or names the field that it lacks; one of a later format is left to a later version',
  t => {
    const parse = (value: unknown) => parseManifest(typeof value === 'string' ? value : JSON.stringify(value), 'x.json')
    t.same(parse(MANIFEST), MANIFEST)
    t.same(parse({ ...MANIFEST, of_a_later_version: 1 }), MANIFEST, 'what this version does not know is passed over')
    const least: Record<string, unknown> = { ...MANIFEST }
    delete least['recovered']
    delete least['md5']
    t.same(parse(least), least, 'as 0.1.0 wrote it')
    for (const field of Object.keys(least)) {
      const message = new RegExp(`^x\\.json: ${field}`)
      t.throws(
        () => parse({ ...MANIFEST, [field]: undefined }),
        { code: 'MANIFEST_INVALID', message, path: 'x.json' },
        field,
      )
    }
    for (const [field, value] of [
      ['sha256', 'A'.repeat(64)],
      ['md5', 'x'],
      ['frames', 1.5],
      ['first_recv_us', '1'],
      ['connections', { d1: {} }],
      ['gaps', [{}]],
      ['format_version', 0.5],
    ] as const)
      // prettier-ignore
      t.throws(() => parse({ ...MANIFEST, [field]: value }), { code: 'MANIFEST_INVALID', message: new RegExp(field) }, field)
    for (const later of [{ format_version: 2 }, { ...MANIFEST, format_version: 99, frames: 'many' }])
      t.throws(() => parse(later), { code: 'MANIFEST_TOO_NEW', message: /wanted at most 1/, hint: /upgrade/ })
    const text = JSON.stringify(MANIFEST)
    holds(
      t,
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom('', '"', '}', '\u0000', '9', 'x'), (at, put) => {
        const changed = text.slice(0, at) + put
        // What a recovery did is told where there was one.
        if (changed === text || changed === JSON.stringify({ ...MANIFEST, recovered: undefined })) return
        assert.throws(
          () => parse(changed),
          (error: unknown) => error instanceof EdgeError && error.path === 'x.json',
        )
      }),
    )
    t.end()
  },
)

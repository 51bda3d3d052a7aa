/** The screen of `status`, whatever parts of this or another version, or a fault of the disk, left in their files. A failure prints its seed. */
import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { screenOf } from '../../../cli/status/screen.js'
import { Observer } from '../../../monitor/observe/observer.js'
import { memoryFolder } from '../../fixtures/memory-folder.js'
import { holds } from '../../fixtures/holds.js'

const root = memoryFolder(t)
const NOW_MS = Date.parse('2026-11-22T12:00:00Z')
const clock = { ms: NOW_MS, nowMs: () => clock.ms, monotonicUs: () => clock.ms * 1000 }

const text = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9 .,:/_-]{0,90}$/),
  fc.constantFrom('two\nlines', '\r\nand\tmore', 'x'.repeat(300), '', '|', 'ÄÖ🚀'.repeat(40)),
)
const count = fc.oneof(
  fc.nat(),
  fc.constantFrom(0, -1, 0.5, 1e-9, 1e15, 2 ** 60),
  fc.double({ min: -1e9, max: 1e12, noNaN: true }),
)
const moment = fc.oneof(
  fc.integer({ min: -1e9, max: 1e9 }).map(ms => new Date(NOW_MS + ms).toISOString()),
  fc.constantFrom('', 'noon', '2026-02-30T00:00:00Z', '0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'),
)
const some = <T>(facts: { [Key in keyof T]: fc.Arbitrary<T[Key]> }) =>
  fc.record(facts, { requiredKeys: [], noNullPrototype: true })
const head = {
  pid: fc.constantFrom<number | string>(process.pid, 1, 2 ** 22 + 1, -1, 'x'),
  version: text,
  started_at: moment,
  written_at: moment,
  last_error: fc.oneof(text, some({ message: text, hint: text })),
}
const family = some({ frames: count, bytes: count, last_frame_at: moment, lag_ms: count })
const connection = fc.record(
  {
    name: fc.stringMatching(/^[a-z0-9.]{1,12}$/),
    state: fc.stringMatching(/^[a-z ]{0,12}$/),
    frames: count,
    channels: count,
    reconnects: count,
    last_frame_at: moment,
    last_error: text,
  },
  { requiredKeys: ['name'], noNullPrototype: true },
)
const recorder = some({
  ...head,
  ...{
    exchange: fc.constant('deribit'),
    run: text,
    frames: count,
    bytes: count,
    sealed_segments: count,
    lost_frames: count,
    disk_error: text,
  },
  families: fc.dictionary(fc.constantFrom('trades', 'book', 'sent', 'a_family_of_its_own'), family, {
    noNullPrototype: true,
  }),
  connections: fc.array(connection, { maxLength: 4 }),
  shown: fc.array(some({ name: text, price: count, iv: count, at: moment }), { maxLength: 2 }),
})
const compactor = some({
  ...head,
  rows: fc.dictionary(fc.constantFrom('trades', 'quote'), count, { noNullPrototype: true }),
  backlog_segments: count,
  quarantined: count,
  current_segment: text,
})
const syncer = some({
  ...head,
  state: text,
  target: text,
  backlog_files: count,
  backlog_bytes: count,
  unverified_files: count,
  oldest_unverified_age_s: count,
  verified_through: moment,
  failures_in_a_row: count,
})
const files = fc.tuple(
  recorder,
  recorder,
  compactor,
  syncer,
  fc.constantFrom('', '[]', '{"part":', 'null'),
  fc.nat({ max: 9 }),
)

function write(name: string, value: unknown): void {
  writeFileSync(join(root, 'state', name), typeof value === 'string' ? value : JSON.stringify(value))
}

t.test('a screen is no wider than it may be, has a line for each thing, and no number that is none', t => {
  holds(
    t,
    fc.property(
      files,
      fc.integer({ min: 80, max: 200 }),
      ([before, after, compactor, syncer, damaged, which], columns) => {
        rmSync(join(root, 'state'), { recursive: true, force: true })
        mkdirSync(join(root, 'state'), { recursive: true })
        write('recorder.json', before)
        write('compactor.json', which === 1 ? damaged : compactor)
        write('syncer.json', which === 2 ? damaged : syncer)
        clock.ms = NOW_MS
        const observer = new Observer(root, clock)
        observer.look()
        clock.ms += 5000
        write('recorder.json', which === 3 ? damaged : after)
        const seen = observer.look()
        const screen = screenOf(seen, columns)
        assert.doesNotMatch(screen, /NaN|undefined|Infinity|Invalid|\[object/)
        const lines = screen.split('\n')
        for (const line of lines) {
          // Nothing can be done about a word that is longer itself.
          const isLong = line.length > columns && !/\S{60}/.test(line)
          assert.ok(!isLong, `${line.length} of ${columns}: ${line}`)
        }
        for (const title of ['connections', 'data']) {
          const at = lines.indexOf(title)
          const rows = at < 0 ? [] : lines.slice(at + 2, lines.indexOf('', at) < 0 ? undefined : lines.indexOf('', at))
          assert.equal(
            rows.length,
            title === 'data' ? seen.families.length : seen.connections.length,
            `${title}: ${rows.join('|')}`,
          )
        }
        const begin = lines.indexOf('files') + 1
        const files = lines.slice(begin, lines.includes('', begin) ? lines.indexOf('', begin) : undefined)
        // A label, or the column of texts: what a part said begins no line of its own.
        for (const line of files) assert.match(line, /^ {2}(?:[a-z]+ {2,}\S| {6,}\S)/)
        assert.doesNotThrow(() => JSON.stringify(seen))
      },
    ),
    { numRuns: 100 },
  )
  t.end()
})

/** The metrics as a strict reader of Prometheus' text format takes them, whatever the parts' files say. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { exposition } from '../../../monitor/metrics/exposition.js'
import { observationOf, type Observation } from '../../../monitor/observe/observation.js'
import type { PartReport } from '../../../monitor/observe/parts.js'
import { withAccount } from '../../../monitor/observe/with-account.js'
import { ReceiveLag } from '../../../recorder/receive-lag.js'
import { coverageDay } from '../../fixtures/coverage-day.js'
import { holds } from '../../fixtures/holds.js'

interface Series {
  name: string
  labels: Map<string, string>
  value: number
}

const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/

function parseLine(line: string): Series {
  const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^]*)\})? (\S+)$/.exec(line) ?? []
  assert.ok(name, `a sample: ${line}`)
  assert.match(value, /^(NaN|[+-]?(Inf|Infinity|[\d.]+(e[+-]?\d+)?))$/, line)
  const found = new Map<string, string>()
  for (let rest = labels; rest !== '';) {
    const [all = '', label = '', text = ''] = LABEL.exec(rest) ?? []
    assert.ok(all, `labels: ${line}`)
    assert.ok(!found.has(label), `${label} once: ${line}`)
    found.set(
      label,
      text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)),
    )
    rest = rest.slice(all.length)
  }
  return { name, labels: found, value: Number(value) }
}

/** @throws AssertionError for what a strict reader refuses */
function parseExposition(text: string): Map<string, Series[]> {
  assert.ok(text.endsWith('\n') && !text.includes('\n\n'))
  const found = new Map<string, Series[]>()
  const seen = new Set<string>()
  let own = { name: '', type: '', series: [] as Series[] }
  let help = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line)
    if (comment?.[1] === 'HELP') help = comment[2] ?? ''
    else if (comment) {
      const [, , name = '', type = ''] = comment
      assert.equal(name, help, 'help stands above its type')
      assert.ok(!found.has(name), `${name} in one place`)
      own = { name, type, series: [] }
      found.set(name, own.series)
    } else {
      const series = parseLine(line)
      const isOwn = own.type === 'histogram' ? series.name.replace(/_(bucket|sum|count)$/, '') : series.name
      assert.equal(isOwn, own.name, 'below its own type')
      const key = `${series.name} ${JSON.stringify([...series.labels].sort())}`
      assert.ok(!seen.has(key), `${key} once`)
      seen.add(key)
      own.series.push(series)
    }
  }
  return found
}

const health = { live: [], ready: ['x'] }
const expose = (seen: Observation) => parseExposition(exposition(seen, health).text)

const seenOf = (parts: PartReport[]) =>
  observationOf({ atMs: 1e12, parts, rates: new Map(), gaps: [], use: undefined, space: undefined })

const recorderOf = (status: object, of?: string): PartReport => ({
  ...{ part: 'recorder', state: 'running', status: { ...status } },
  ...(of !== undefined && { of }),
})

t.test('buckets of a histogram whose bounds are whole numbers came before all others', t => {
  const lag = new ReceiveLag(frame => Number(frame))
  for (const ageMs of [0, 3, 400, 1500, 4000, 60_000]) {
    const sample = { frame: Buffer.from(`${1e6 + 999 * ageMs}`), recvUs: 1e9 + 1e6 * ageMs }
    lag.look(new Map([['quote', { sample }]]))
  }
  // As the status file has it.
  const status = JSON.parse(JSON.stringify({ exchange: 'deribit', families: { quote: lag.of('quote') } })) as object
  const series = expose(seenOf([recorderOf(status)])).get('edgetape_receive_lag_seconds') ?? []
  const buckets = series.filter(({ name }) => name.endsWith('_bucket'))
  const bounds = buckets.map(({ labels }) => labels.get('le') ?? '')
  t.same(
    bounds,
    [...bounds].sort((a, b) => Number(a.replace('+Inf', 'Infinity')) - Number(b.replace('+Inf', 'Infinity'))),
  )
  t.equal(bounds.at(-1), '+Inf')
  const held = buckets.map(({ value }) => value)
  t.same(
    held,
    [...held].sort((a, b) => a - b),
    'each has all below it',
  )
  t.equal(series.find(({ name }) => name.endsWith('_count'))?.value, held.at(-1))
  t.end()
})

t.test('whatever families, connections, tables and exchanges are called, a strict reader takes it', t => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 6 }),
    fc.constantFrom('a"b', 'back\\slash', 'line\nfeed', '', '{}', 'a="b"', '\\n', 'ü €'),
  )
  const count = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, 1e21, 1e-9))
  const names = fc.uniqueArray(name, { maxLength: 4 })
  holds(t, fc.property(names, names, names, fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), count, (families, connections, tables, exchanges, value) => {
      const parts = exchanges.map(exchange =>
        recorderOf(
          {
            exchange,
            exchange_offset_us: value,
            families: Object.fromEntries(families.map(family => [family, { frames: value, bytes: 1, lag: { sum: 1, buckets: { '+Inf': 1 } } }])),
            connections: connections.map(name => ({ name, state: 'live', channels: value })),
          },
          exchange,
        ),
      )
      const compactor: PartReport = { part: 'compactor', state: 'dead', status: { rows: Object.fromEntries(tables.map(table => [table, 7])) } }
      const found = expose(seenOf([...parts, compactor]))
      const told = (metric: string, label: string) => new Set((found.get(metric) ?? []).map(({ labels }) => labels.get(label)))
      // A family that is called as something of every object's is none: it goes by the way of JSON.
      const known = families.filter(family => family !== '__proto__')
      assert.deepEqual(told('edgetape_frames_received_total', 'family'), new Set(known))
      assert.deepEqual(told('edgetape_connection_up', 'connection'), new Set(connections))
      assert.deepEqual(told('edgetape_compactor_rows_total', 'table'), new Set(tables.filter(table => table !== '__proto__')))
      assert.deepEqual(told('edgetape_part_up', 'exchange'), new Set([...exchanges, undefined]))
    }),
    { numRuns: 80 },
  ) // prettier-ignore
  t.end()
})

t.test('what no file tells is left out, and a zero that is told is not', t => {
  const found = expose(seenOf([recorderOf({ exchange: 'deribit', lost_frames: 0 })]))
  t.equal(found.get('edgetape_recorder_lost_frames_total')?.[0]?.value, 0)
  for (const name of ['recorder_stored_frames_total', 'sync_behind_seconds', 'disk_free_bytes', 'gaps_recent', 'coverage_complete', 'archive_rotten_files', 'part_cpu_seconds_total'])
    t.notOk(found.has(`edgetape_${name}`), name) // prettier-ignore
  t.equal(found.get('edgetape_healthy')?.[0]?.value, 1)
  t.equal(found.get('edgetape_ready')?.[0]?.value, 0)
  t.end()
})

t.test('memory of a process that is gone is told of nobody', t => {
  const pulse = {
    ...{ pid: 1, at: '2026-11-22T14:00:00.000Z', did: 'x', cpu_seconds: 5, loop_delay_seconds: 0 },
    ...{ rss_bytes: 1000, heap_bytes: 500, heap_limit_bytes: 2000 },
  }
  for (const [state, isTold] of [
    ['running', true],
    ['stands still', true],
    ['stopped', false],
    ['dead', false],
  ] as const) {
    const found = expose(seenOf([{ part: 'syncer', state, pulse, status: {} }]))
    t.equal(found.has('edgetape_part_resident_memory_bytes'), isTold, state)
    t.equal(found.get('edgetape_part_up')?.[0]?.value, Number(state === 'running'), state)
    t.equal(found.get('edgetape_part_stopped')?.[0]?.value, Number(state === 'stopped'), state)
  }
  t.end()
})

t.test('of a day of which nothing is known yet nothing is said to be complete', t => {
  const seen = seenOf([recorderOf({ exchange: 'deribit' })])
  const withDay = (given: object) => expose(withAccount(seen, coverageDay('2001-09-09', 1e12, given)))
  const valueOf = (found: Map<string, Series[]>, name: string) => found.get(`edgetape_coverage_${name}`)?.[0]?.value
  const empty = withDay({ isEmpty: true, isComplete: true })
  t.equal(valueOf(empty, 'complete'), undefined)
  t.equal(valueOf(empty, 'missing_seconds'), undefined)
  const some = withDay({ isComplete: false, missingSeconds: 12.5 })
  t.equal(valueOf(some, 'complete'), 0)
  t.equal(valueOf(some, 'missing_seconds'), 12.5)
  t.end()
})

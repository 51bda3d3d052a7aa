import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { exposition } from '../../monitor/metrics/exposition.js'
import { metrics } from '../../monitor/metrics/table.js'
import { archiveOf } from '../../monitor/observe/archive-seen.js'
import { observationOf } from '../../monitor/observe/observation.js'
import { coverageDay, coverageEvent } from '../fixtures/coverage-day.js'
import { withAccount } from '../../monitor/observe/with-account.js'
import { reportsOf } from '../../monitor/observe/parts.js'
import { packageRoot } from '../../platform/package-info.js'
import { writeProofState } from '../../formats/proof-state.js'
import { writeStatus } from '../../formats/status.js'
import { needs } from '../fixtures/needs.js'

const fileOf = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8')
/** Of a histogram the name by which it is told. */
const nameOf = (series: string) => series.replace(/_lag_seconds_(?:bucket|sum|count)$/, '_lag_seconds')
const namesIn = (text: string) => [...new Set((text.match(/\bedgetape_[a-z_]+\b/g) ?? []).map(nameOf))].sort()

/** What `/metrics` tells where every part is at work. */
function toldText(dataDir: string): string {
  const atMs = Date.now()
  const at = new Date(atMs).toISOString()
  const counts = (...names: string[]) => Object.fromEntries(names.map(name => [name, 7]))
  const lag = { sum: 0.5, buckets: { '0.1': 2, '+Inf': 3 } }
  writeStatus(dataDir, 'recorder', {
    exchange: 'deribit',
    exchange_offset_us: -1500,
    ...counts('stored_frames', 'compressed_bytes', 'lost_frames', 'waiting_bytes', 'sealed_segments'),
    channels_planned: 7,
    started_at: at,
    written_at: at,
    families: { quote: { frames: 1, bytes: 1, last_frame_at: at, lag_ms: 3, lag } },
    connections: [{ name: 'd1', state: 'live', channels: 1, reconnects: 0, last_frame_at: at }],
  })
  writeStatus(dataDir, 'compactor', {
    ...counts('backlog_segments', 'segments', 'failed', 'failing', 'double_rows', 'quarantined'),
    rows: { quote: 7 },
  })
  writeStatus(dataDir, 'syncer', {
    ...counts('backlog_files', 'backlog_bytes', 'oldest_unverified_age_s', 'failures_in_a_row', 'shipped_files'),
    ...counts('shipped_bytes', 'verified_files', 'wrong_copies', 'missing_copies', 'problem_files', 'retired_bytes'),
    verified_through: at,
    last_success: at,
  })
  const vitals = counts('rss_bytes', 'heap_bytes', 'heap_limit_bytes', 'cpu_seconds', 'loop_delay_seconds')
  const pulse = { pid: process.pid, at, did: 'slept', ...vitals }
  writeFileSync(join(dataDir, 'state', 'pulse-recorder.json'), JSON.stringify(pulse))
  const last = { begunMs: atMs, endedMs: atMs, facts: {}, found: {}, faults: [] }
  writeProofState(dataDir, 'bits', { writtenMs: atMs, startedMs: atMs, last })
  const none = { files: 0, bytes: 0 }
  const startedMs = atMs - 3_600_000
  const seen = observationOf({
    archive: archiveOf(dataDir),
    atMs,
    parts: reportsOf(dataDir, [undefined]),
    rates: new Map(),
    gaps: [],
    use: {
      atMs,
      raw: { files: 1, bytes: 10 },
      open: none,
      openBy: [],
      parquet: none,
      quarantine: none,
      rawByHour: new Map([[startedMs - (startedMs % 3_600_000), 10]]),
      firstMs: startedMs,
    },
    space: { freeBytes: 5, sizeBytes: 10, isReadOnly: false },
    memoryLimitBytes: 1e9,
  })
  const day = {
    events: [coverageEvent(atMs - 60_000)],
    kinds: [{ exchange: 'deribit', kind: 'option', share: 0.75 }],
  }
  const withDay = withAccount(seen, coverageDay(at.slice(0, 10), atMs, day))
  return exposition(withDay, { live: [], ready: [] }).text
}

t.test('rules, dashboard and document name metrics that are told', t => {
  const text = toldText(t.testdir())
  const told = new Set([...text.matchAll(/^(edgetape_\w+)[{ ]/gm)].map(([, name = '']) => nameOf(name)))
  t.same([...told].sort(), metrics.map(({ name }) => name).sort(), 'each metric is told when the parts are at work')
  for (const path of ['deploy/prometheus/edgetape.rules.yml', 'deploy/grafana/edgetape.json']) {
    const named = namesIn(fileOf(path))
    t.ok(named.length > 10, `${path} names metrics`)
    t.same(
      named.filter(name => !told.has(name)),
      [],
      `${path} names none that is not there`,
    )
  }
  t.match(text, /^edgetape_receive_lag_seconds_bucket\{exchange="deribit",family="quote",le="0\.1"\} 2$/m)
  t.match(text, /^edgetape_receive_lag_seconds_count\{exchange="deribit",family="quote"\} 3$/m)
  t.match(text, /^edgetape_clock_offset_seconds\{exchange="deribit"\} -0\.0015$/m)
  t.match(text, /^edgetape_part_resident_memory_bytes\{part="recorder",exchange="deribit"\} 7$/m)
  t.match(text, /^edgetape_coverage_today_ratio\{exchange="deribit",kind="option"\} 0\.75$/m)
  t.end()
})

t.test('docs/monitoring.md has each metric with its unit and what it is', t => {
  const rows = fileOf('docs', 'monitoring.md')
    .split('\n')
    .filter(line => line.startsWith('| `edgetape_'))
    .map(line => line.slice(1, -1).split('|').map(cell => cell.trim())) // prettier-ignore
  const unitOf = (name: string) => /_(seconds|bytes|ratio)(?:_total)?$/.exec(name)?.[1] ?? '1'
  t.same(
    rows,
    metrics.map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      unitOf(name),
      labels.map(label => `\`${label}\``).join(', '),
      help,
    ]),
  )
  t.end()
})

t.test('promtool accepts the metrics and the alert rules, and they fire when they should', async t => {
  if (!needs(t, 'promtool')) return
  const input = toldText(t.testdir())
  const linted = await execa('promtool', ['check', 'metrics'], { input, all: true, reject: false, timeout: 60_000 })
  t.same([linted.exitCode, linted.all], [0, ''], 'names, units and help are as Prometheus recommends')
  const cwd = join(packageRoot, 'deploy', 'prometheus')
  const checked = await execa('promtool', ['check', 'rules', 'edgetape.rules.yml'], { cwd, timeout: 60_000 })
  t.match(checked.stdout, /SUCCESS/)
  const tested = await execa('promtool', ['test', 'rules', 'edgetape.rules.test.yml'], {
    cwd,
    all: true,
    reject: false,
  })
  t.equal(tested.exitCode, 0, tested.all)
})

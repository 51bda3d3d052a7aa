import { join } from 'node:path'
import t from 'tap'
import { asText, reportOf } from '../../cli/status/report.js'
import { writeStatus } from '../../platform/status-file.js'
import { edgetape } from '../fixtures/cli.js'

const recorder = {
  frames: 12345,
  bytes: 1024 * 1024,
  started_at: '2026-11-22T14:00:00.000Z',
  connections: [{ name: 'd1', state: 'open', channels: 412 }],
}

t.test('alive by its process, dead without, stopped when it said so', t => {
  const dataDir = t.testdir()
  t.equal(reportOf('recorder', dataDir).state, 'never ran')
  writeStatus(dataDir, 'recorder', recorder)
  t.equal(reportOf('recorder', dataDir).state, 'running', 'this very process')
  t.equal(reportOf('recorder', dataDir, () => false).state, 'dead')
  writeStatus(dataDir, 'recorder', { ...recorder, stopped: true })
  t.equal(reportOf('recorder', dataDir).state, 'stopped')
  writeStatus(dataDir, 'syncer', { state: 'stopped' })
  t.equal(reportOf('syncer', dataDir).state, 'stopped')
  t.end()
})

t.test('figures in words', t => {
  const dataDir = t.testdir()
  writeStatus(dataDir, 'recorder', recorder)
  const writtenMs = Date.parse(reportOf('recorder', dataDir).writtenAt ?? '')
  const text = asText([reportOf('recorder', dataDir)], writtenMs + 3000)
  t.match(text, new RegExp(`^recorder: running \\(pid ${process.pid}, since 2026-11-22T14:00:00.000Z, said 3 s ago\\)`))
  t.match(text, /frames +12,345\n/)
  t.match(text, /received +1 MiB\n/)
  t.match(text, /connections +d1 open 412 channels$/)
  t.end()
})

t.test('from the command line', async t => {
  const dataDir = t.testdir({ 'edgetape.yaml': 'exchange: { name: deribit }\ndataDir: .\n' })
  writeStatus(dataDir, 'recorder', recorder)
  const config = join(dataDir, 'edgetape.yaml')
  const { stdout, exitCode } = await edgetape(['status', '--config', config], { cwd: dataDir })
  t.match(stdout, /^recorder: running .*compactor: has never run here\n\nsyncer: has never run here$/s)
  t.equal(exitCode, 0)
  const json: unknown = JSON.parse((await edgetape(['status', '--config', config, '--json'], { cwd: dataDir })).stdout)
  t.match(json, [{ part: 'recorder', state: 'running', status: { frames: 12345 } }, { state: 'never ran' }, {}])
})

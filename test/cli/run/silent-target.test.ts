/** A target that does not answer delays no recording. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { startSimulator } from '../../../exchanges/deribit/simulator/main.js'
import { readStatus } from '../../../formats/status.js'
import { cliMain } from '../../fixtures/cli.js'
import { needs } from '../../fixtures/needs.js'
import { silentServer } from '../../fixtures/silent-server.js'
import { until } from '../../fixtures/recorder-process.js'

t.test('run recorded nothing while its target took every packet and answered none', async t => {
  if (!needs(t, 'rsync')) return
  const exchange = await startSimulator({ rate: 50, instruments: 8 })
  t.teardown(() => exchange.close())
  const { port, callers } = await silentServer(t)
  const folder = t.testdir({})
  const dataDir = join(folder, 'data')
  const config = join(folder, 'edgetape.yaml')
  const sync = { target: `rsync://recorder@127.0.0.1:${port}/lake`, timeoutSeconds: 600 }
  writeFileSync(
    config,
    JSON.stringify({
      host: 'vps1',
      dataDir,
      exchange: { name: 'deribit', url: exchange.url },
      sync,
      http: { port: 0 },
    }),
  )
  const run = execa(process.execPath, [cliMain, 'run', '--config', config], {
    ...{ stdin: 'ignore', stdout: 'ignore', stderr: { file: join(folder, 'log') }, reject: false, ipc: true },
  })
  t.teardown(() => run.kill('SIGKILL'))
  await until('the target is asked', () => callers.length > 0)
  const askedMs = performance.now()
  await until('the parts', () => readFileSync(join(folder, 'log'), 'utf8').includes('"msg":"started"'))
  // On a quiet machine it is a second; none of the target's time limits is as short.
  t.ok(performance.now() - askedMs < 30_000, 'the parts start soon')
  await until('frames', () => Number(readStatus(dataDir, 'recorder')?.['frames'] ?? 0) > 0)
  run.kill('SIGTERM')
  t.equal((await run).exitCode, 0)
})

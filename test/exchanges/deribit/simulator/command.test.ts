import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../../../platform/package-info.js'
import { startSimulator } from '../../../../exchanges/deribit/simulator/main.js'
import { TestClient } from './client.js'

const main = join(packageRoot, 'dist/cli/main.js')

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  t.test(`simulate prints its URL, serves, and ends on ${signal}`, async t => {
    const env = { ...process.env, EDGETAPE_SIMULATE_CLIENT_ID: 'me', EDGETAPE_SIMULATE_CLIENT_SECRET: 'mine' }
    const args = [main, 'simulate', '--port', '0', '--options', '10', '--rate', '20']
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    t.match(line.toString(), /^ws:\/\/127\.0\.0\.1:\d+\/ws\/api\/v2\n$/)
    const client = await TestClient.connect(line.toString().trim())
    const login = { grant_type: 'client_credentials', client_id: 'me', client_secret: 'mine' }
    t.ok((await client.call('public/auth', login)).result, 'the login of the environment works')
    child.kill(signal)
    t.strictSame(await once(child, 'exit'), [0, null])
    await client.until(() => client.closed)
  })
}

t.test('what cannot work is said in one line', async t => {
  const taken = await startSimulator({ instruments: 0 })
  t.teardown(() => taken.close())
  const port = new URL(taken.httpUrl).port
  await t.rejects(startSimulator({ port: Number(port) }), { code: 'SIMULATOR_LISTEN' })
  await t.rejects(startSimulator({ speed: 0 }), { code: 'SIMULATOR_SPEED' })
})

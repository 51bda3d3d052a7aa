import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { writeDataset } from '../fixtures/dataset.js'
import { needs, needsThat } from '../fixtures/needs.js'

const page = readFileSync(join(packageRoot, 'docs', 'scaling.md'), 'utf8')
const section = page.slice(page.indexOf('## Object storage'), page.indexOf('## Reading more'))
const [, shell = ''] = /```\n((?:rclone .*\n)+)```/.exec(section) ?? []
const [, script = ''] = /```python\n([^]*?)```/.exec(section) ?? []

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if ((await fetch(url).catch(() => undefined))?.ok === true) return
    await delay(100)
  }
  throw new Error(`${url} does not answer`)
}

const trades = (rows: number) =>
  `SELECT n AS trade_seq, 'BTC-PERPETUAL' AS instrument_name, 1.0 AS price FROM range(${rows}) AS numbers(n)`

t.test('a tree goes to object storage, is compared by checksum, and is read there', async t => {
  if (!needs(t, 'rclone')) return
  const libraries = ['-c', 'import moto.server; import pyarrow; import polars']
  const { exitCode } = await execa('python3', libraries, { reject: false })
  if (!needsThat(t, exitCode === 0, "needs moto, pyarrow and polars: pip install 'moto[server]' pyarrow polars")) return
  const root = t.testdir({})
  await writeDataset(root, [
    { table: 'trades', kind: 'perpetual', currency: 'BTC', sql: trades(7) },
    { table: 'trades', kind: 'perpetual', currency: 'BTC', date: '2026-11-23', sql: trades(20) },
    { table: 'trades', kind: 'spot', currency: 'BTC', sql: trades(100) },
  ])
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const keys = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' }
  const remote = {
    ...{ RCLONE_CONFIG_S3_TYPE: 's3', RCLONE_CONFIG_S3_PROVIDER: 'Other', RCLONE_CONFIG_S3_ENV_AUTH: 'true' },
    ...{ RCLONE_CONFIG_S3_ENDPOINT: endpoint, RCLONE_CONFIG_S3_REGION: 'us-east-1', RCLONE_CONFIG: '/dev/null' },
  }
  const env = { ...keys, ...remote, AWS_ENDPOINT_URL: endpoint, AWS_ALLOW_HTTP: 'true', AWS_CA_BUNDLE: undefined }
  const options = { cwd: root, env, reject: false, stdin: 'ignore', timeout: 100_000 } as const
  const server = execa('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', new URL(endpoint).port], options)
  t.teardown(async () => {
    server.kill('SIGKILL')
    await server
  })
  await answers(endpoint)
  t.equal((await execa('rclone', ['mkdir', 's3:my-bucket'], options)).exitCode, 0)

  const commands = shell.replaceAll('/mnt/nas/edgetape', root)
  t.equal(commands.trim().split('\n').length, 2)
  const shipped = await execa('bash', ['-ec', commands], options)
  t.equal(shipped.exitCode, 0, shipped.stderr)
  t.match(shipped.stderr, /0 differences found/)
  const read = await execa('python3', ['-c', script], options)
  t.equal(read.exitCode, 0, read.stderr)
  t.equal(read.stdout, '7\n27')

  appendFileSync(
    join(root, 'parquet/exchange=deribit/table=trades/kind=spot/currency=BTC/date=2026-11-22/14-h1-r1-1.parquet'),
    'x',
  )
  const changed = await execa('bash', ['-ec', commands], options)
  t.not(changed.exitCode, 0, 'a file that changed is an error')
  t.match(changed.stderr, /immutable/)
})

import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { writeDataset } from '../fixtures/dataset.js'
import { s3Server } from '../fixtures/s3-server.js'

const page = readFileSync(join(packageRoot, 'docs', 'scaling.md'), 'utf8')
const section = page.slice(page.indexOf('## Object storage'), page.indexOf('## Reading more'))
const [, shell = ''] = /```\n((?:rclone .*\n)+)```/.exec(section) ?? []
const [, script = ''] = /```python\n([^]*?)```/.exec(section) ?? []

const trades = (rows: number) =>
  `SELECT n AS trade_seq, 'BTC-PERPETUAL' AS instrument_name, 1.0 AS price FROM range(${rows}) AS numbers(n)`

t.test('a tree goes to object storage, is compared by checksum, and is read there', async t => {
  const s3 = await s3Server(t, ['pyarrow', 'polars'])
  if (!s3) return
  const root = t.testdir({})
  await writeDataset(root, [
    { table: 'trades', kind: 'perpetual', currency: 'BTC', sql: trades(7) },
    { table: 'trades', kind: 'perpetual', currency: 'BTC', date: '2026-11-23', sql: trades(20) },
    { table: 'trades', kind: 'spot', currency: 'BTC', sql: trades(100) },
  ])
  const env = { ...s3.env, AWS_ENDPOINT_URL: s3.endpoint, AWS_ALLOW_HTTP: 'true', AWS_CA_BUNDLE: undefined }
  const options = { cwd: root, env, reject: false, stdin: 'ignore', timeout: 100_000 } as const
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

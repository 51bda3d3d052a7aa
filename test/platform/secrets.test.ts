import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { shownUrl } from '../../platform/shown-url.js'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { rawFiles, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'

const SECRET = 'hush-hush-4711'

t.test('a URL is shown without what may be secret in it', t => {
  t.equal(shownUrl('wss://www.deribit.com/ws/api/v2'), 'wss://www.deribit.com/ws/api/v2', 'as it is spelled')
  t.equal(shownUrl(`wss://me:${SECRET}@feed.example/x`), 'wss://***:***@feed.example/x')
  t.equal(shownUrl(`https://hooks.example/x?token=${SECRET}&a=1`), 'https://hooks.example/x?token=***&a=***')
  t.equal(shownUrl('no url'), 'no url')
  t.end()
})

t.test('values under the names of secrets never reach a log, however deep', async t => {
  const log = join(packageRoot, 'dist', 'platform', 'log.js')
  const program = `import('${log}').then(({ createLogger }) => {
    const log = createLogger('part')
    for (const name of ['client_secret', 'clientSecret', 'access_token', 'refresh_token', 'signature', 'password', 'webhook'])
      log.error({ [name]: '${SECRET}', a: { [name]: '${SECRET}', b: { [name]: '${SECRET}' } } }, 'said')
  })`
  const { stdout, stderr } = await execa(process.execPath, ['-e', program])
  t.equal(stderr.split('\n').length, 7)
  t.notMatch(stdout + stderr, SECRET)
})

t.test('a feed with a secret in its address: neither log nor files have it', async t => {
  const exchange = await startSimulator({ rate: 100, instruments: 4 })
  t.teardown(() => exchange.close())
  const url = `${exchange.url}?token=${SECRET}`
  const send = [{ jsonrpc: '2.0', id: 1, method: 'public/subscribe', params: { channels: ['quote.BTC-PERPETUAL'] } }]
  const feed = { name: 'feed', adapter: 'generic', url, send }
  const recorder = startRecorder(t, t.testdir({}), feed, undefined, { EDGETAPE_LOG: 'trace' })
  await until('what came over it', () => rawFiles(recorder.dataDir).some(path => !path.includes('channel=journal')))
  recorder.process.kill('SIGTERM')
  const { stderr, stdout } = await recorder.process
  const lines = recordedLines(recorder.dataDir).map(({ frame }) => frame.toString('utf8'))
  t.match(lines.join('\n'), /"event":"connected".*token=\*\*\*/)
  t.notMatch([stdout, stderr, ...lines].join('\n'), SECRET)
})

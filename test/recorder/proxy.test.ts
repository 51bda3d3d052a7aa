/** A real proxy (tinyproxy) between the recorder and an exchange behind TLS: WebSocket and calls over HTTPS. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createServer as createTls } from 'node:tls'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { startSimulator } from '../../exchanges/deribit/simulator/main.js'
import { proxyVariables } from '../../platform/proxy.js'
import { edgetape } from '../fixtures/cli.js'
import { matchAll } from '../fixtures/match-all.js'
import { freePort } from '../fixtures/free-port.js'
import { findProgram, needs } from '../fixtures/needs.js'
import { framesTaken, recordedLines, startRecorder, until } from '../fixtures/recorder-process.js'

/** An address of this machine that is none of those to which no proxy leads. */
const EXCHANGE = '127.0.0.2'
const CHANNELS = { perpetual: ['quote'], future: [], option: [], spot: [], combo: [], index: [] }

interface World {
  folder: string
  /** Of the exchange behind TLS. */
  port: number
  /** What its clients must trust. */
  env: Record<string, string>
  /** Connections that reached the exchange's TLS. */
  reached(): number
}

async function exchangeBehindTls(t: Test): Promise<World> {
  const folder = t.testdir({})
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  // An address has no name to be asked for behind a proxy: its certificate is looked at as that of localhost.
  const names = ['-subj', `/CN=${EXCHANGE}`, '-addext', `subjectAltName=IP:${EXCHANGE},DNS:localhost`]
  execFileSync('openssl', [...request, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const simulator = await startSimulator({ port: 0, instruments: 10, rate: 50 })
  const inner = Number(new URL(simulator.url).port)
  let reached = 0
  const server = createTls({ key: readFileSync(key), cert: readFileSync(cert) }, socket => {
    reached++
    const onward = connect(inner, '127.0.0.1')
    socket.pipe(onward).pipe(socket)
    for (const end of [socket, onward]) end.on('error', () => [socket, onward].forEach(other => other.destroy()))
  })
  server.on('tlsClientError', () => undefined)
  await new Promise<void>(resolve => server.listen(0, EXCHANGE, resolve))
  t.teardown(async () => {
    server.close()
    await simulator.close()
  })
  const { port } = server.address() as AddressInfo
  return { folder, port, env: { NODE_EXTRA_CA_CERTS: cert }, reached: () => reached }
}

interface Proxy {
  port: number
  /** `host:port` of each CONNECT that it took. */
  connects(): string[]
}

async function startProxy(t: Test, folder: string, login?: { user: string; password: string }): Promise<Proxy> {
  const [config, log] = [join(folder, 'tinyproxy.conf'), join(folder, 'log')]
  const port = await freePort()
  const lines = [
    `Port ${port}`,
    'Listen 127.0.0.1',
    `LogFile "${log}"`,
    'LogLevel Connect',
    'Timeout 600',
    'MaxClients 50',
  ]
  if (login) lines.push(`BasicAuth ${login.user} ${login.password}`)
  writeFileSync(config, `${lines.join('\n')}\n`)
  writeFileSync(log, '')
  const proxy = execa(findProgram('tinyproxy') ?? 'tinyproxy', ['-d', '-c', config], { stdin: 'ignore', reject: false })
  t.teardown(() => proxy.kill('SIGKILL'))
  let listens = false
  const knock = () => {
    const socket = connect(port, '127.0.0.1', () => {
      listens = true
      socket.destroy()
    })
    socket.on('error', () => setTimeout(knock, 50))
  }
  knock()
  await until('the proxy listens', () => listens)
  const pattern = /Request \(file descriptor \d+\): CONNECT (\S+)/g
  return { port, connects: () => [...readFileSync(log, 'utf8').matchAll(pattern)].map(([, to = '']) => to) }
}

t.test(
  'frames and calls of discovery come through the proxy that the environment names, with its password',
  async t => {
    if (!needs(t, 'tinyproxy') || !needs(t, 'openssl')) return
    const world = await exchangeBehindTls(t)
    const proxy = await startProxy(t, world.folder, { user: 'me', password: 'p4ss-w0rd' })
    const url = `wss://${EXCHANGE}:${world.port}/ws/api/v2`
    const recorder = startRecorder(t, world.folder, { url, currencies: ['BTC'], channels: CHANNELS }, undefined, {
      ...world.env,
      HTTPS_PROXY: `http://me:p4ss-w0rd@127.0.0.1:${proxy.port}`,
    })
    await until('quotes', () => framesTaken(recorder, 'quote') > 5)
    recorder.process.kill('SIGTERM')
    const { exitCode, stderr, stdout } = await recorder.process
    t.equal(exitCode, 0)
    const connects = proxy.connects()
    t.ok(connects.length >= 2, `the WebSocket and calls over HTTPS: ${connects.length}`)
    t.ok(connects.every(to => to === `${EXCHANGE}:${world.port}`))
    t.ok(world.reached() <= connects.length, 'nothing went around the proxy')
    const lines = recordedLines(recorder.dataDir)
    t.ok(lines.some(({ family, conn }) => family === 'instruments' && conn === 'http'))
    t.notOk(`${stderr}${stdout}`.includes('p4ss-w0rd'), 'the password is in no log')
    t.notOk(
      lines.some(({ frame }) => frame.includes('p4ss-w0rd')),
      'and in no file',
    )
  },
)

t.test(
  'the proxy of the config: its login comes from the environment; a wrong one is told; doctor goes the same way',
  async t => {
    if (!needs(t, 'tinyproxy') || !needs(t, 'openssl')) return
    const world = await exchangeBehindTls(t)
    const proxy = await startProxy(t, world.folder, { user: 'me', password: 'right' })
    const config = join(world.folder, 'proxy.yaml')
    const exchange = {
      name: 'deribit',
      url: `wss://${EXCHANGE}:${world.port}/ws/api/v2`,
      currencies: ['BTC'],
      channels: CHANNELS,
    }
    const dataDir = join(world.folder, 'data')
    const settings = { dataDir, exchange, proxy: { url: `http://127.0.0.1:${proxy.port}` } }
    writeFileSync(config, JSON.stringify(settings))
    const doctor = async (env: Record<string, string>) => {
      const { stdout } = await edgetape(['doctor', '--config', config, '--json'], { env: { ...world.env, ...env } })
      const { findings } = JSON.parse(stdout) as { findings: { check: string; outcome: string; message: string }[] }
      return findings.filter(({ check }) => check === 'proxy' || check === 'exchange')
    }
    matchAll(t, await doctor({ EDGETAPE_PROXY_LOGIN: 'me:wrong' }), [
      { check: 'proxy', message: /through http:\/\/\*\*\*:\*\*\*@127/ },
      { check: 'exchange', outcome: 'failed', message: /the proxy answered 40[17]: it asks for a login/ },
    ])
    t.equal(world.reached(), 0)
    const password = join(world.folder, 'login')
    writeFileSync(password, 'me:right\n')
    matchAll(t, await doctor({ EDGETAPE_PROXY_LOGIN_FILE: password }), [
      { check: 'proxy', outcome: 'ok' },
      { check: 'exchange', outcome: 'ok', message: /first frame of/ },
    ])
    t.ok(world.reached() > 0)
    const before = proxy.connects().length
    writeFileSync(config, JSON.stringify({ ...settings, proxy: { ...settings.proxy, except: [EXCHANGE] } }))
    matchAll(t, await doctor({}), [{ check: 'proxy' }, { check: 'exchange', outcome: 'ok' }])
    t.equal(proxy.connects().length, before, 'a host that is excepted is reached without it')
  },
)

t.test('which proxy is meant', t => {
  const own = 'localhost,127.0.0.1,[::1],::1'
  t.equal(proxyVariables(undefined, {}), undefined)
  t.equal(proxyVariables(undefined, { HTTPS_PROXY: '' }), undefined)
  t.same(proxyVariables(undefined, { HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2', NO_PROXY: 'x.lan' }), {
    https: 'http://b:2/',
    http: undefined,
    except: `x.lan,${own}`,
  })
  t.same(proxyVariables(undefined, { ALL_PROXY: 'proxy:3128' }), {
    https: 'http://proxy:3128/',
    http: 'http://proxy:3128/',
    except: own,
  })
  const settings = { url: 'https://p:8443', except: ['.lan'], login: 'a@b:c:d/e' }
  t.match(proxyVariables(settings, { HTTPS_PROXY: 'http://other:1', NO_PROXY: 'y' }), {
    https: 'https://a%40b:c%3Ad%2Fe@p:8443/',
    except: `.lan,${own}`,
  })
  t.throws(() => proxyVariables(undefined, { ALL_PROXY: 'socks5://me:secret@p:1080' }), {
    code: 'PROXY_UNKNOWN',
    message: /socks5:\/\/\*\*\*:\*\*\*@p:1080/,
  })
  t.end()
})

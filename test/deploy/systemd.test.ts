import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import pino from 'pino'
import t from 'tap'
import { createProgram } from '../../cli/program.js'
import { packageRoot } from '../../platform/package-info.js'
import { attendSystemd, watchdogMs } from '../../platform/systemd.js'
import { needs } from '../fixtures/needs.js'

const units = join(packageRoot, 'deploy', 'systemd')
const names = readdirSync(units).sort()
/** Beyond it systemd calls a service no longer well protected; ours are at 1.7 of 10. */
const EXPOSURE_MAX = 25

t.test('there is a unit for each part, and one for all', async t => {
  t.same(
    names,
    ['compact', 'record', 'serve', 'sync'].map(part => `edgetape-${part}.service`).concat('edgetape.service'),
  )
  const program = await createProgram()
  for (const name of names) {
    const text = readFileSync(join(units, name), 'utf8')
    const [, command = '', args = ''] = /^ExecStart=\/usr\/bin\/node .*?main\.js (\w+) (.*)$/m.exec(text) ?? []
    const found = program.commands.find(each => each.name() === command)
    t.same(found?.parseOptions(args.split(' ')).unknown, [], `${name} runs ${command}`)
    t.match(text, /^Restart=always$/m)
    t.match(text, /^Type=notify\nNotifyAccess=all\nWatchdogSec=\d+$/m)
    // Else a stop tells each process twice: systemd does, and the supervisor.
    t.match(text, /^KillMode=mixed$/m)
    t.match(text, /^NoNewPrivileges=yes\nProtectSystem=strict$/m)
  }
  t.end()
})

t.test('systemd accepts them, and finds them well protected', async t => {
  if (!needs(t, 'systemd')) return
  const folder = t.testdir({})
  for (const name of names) {
    const text = readFileSync(join(units, name), 'utf8').replaceAll('/usr/bin/node', process.execPath)
    writeFileSync(join(folder, name), text)
    const security = ['security', '--offline=yes', `--threshold=${EXPOSURE_MAX}`, join(folder, name)]
    const { exitCode, stdout } = await execa('systemd-analyze', security, { reject: false })
    t.equal(exitCode, 0, `${name}: ${stdout.split('\n').at(-1) ?? ''}`)
  }
  const paths = names.map(name => join(folder, name))
  const { stderr, exitCode } = await execa('systemd-analyze', ['verify', ...paths], { reject: false })
  t.equal(exitCode, 0, stderr)
  t.equal(stderr, '')
})

t.test('the watchdog hears from the process that it is about', async t => {
  const log = pino({ level: 'silent' })
  const said: string[] = []
  const leave = attendSystemd(log, { NOTIFY_SOCKET: '/run/x', WATCHDOG_USEC: '30000' }, message => {
    said.push(message)
    return Promise.resolve()
  })
  await new Promise(resolve => setTimeout(resolve, 100))
  leave()
  t.equal(said[0], 'READY=1')
  const beats = said.length
  await new Promise(resolve => setTimeout(resolve, 50))
  t.equal(said.length, beats, 'and nothing more when it left')
  t.ok(said.filter(message => message === 'WATCHDOG=1').length >= 2)
  t.equal(watchdogMs({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' }, 2), undefined, 'of another process')
  t.equal(watchdogMs({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '2' }, 2), 60_000)
  t.equal(watchdogMs({}, 2), undefined)
  attendSystemd(log, {}, () => Promise.reject(new Error('without systemd nobody is told')))()
})

t.test('what is said reaches a socket as systemd has it', async t => {
  if (!needs(t, 'systemd') || !needs(t, 'python')) return
  // The address of a socket has room for about a hundred characters.
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const socket = join(folder, 'notify')
  const listen = [
    'import socket, sys',
    's = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.settimeout(30); s.bind(sys.argv[1]); print("up", flush=True)',
    'while True:',
    '    text = s.recv(4096).decode()',
    '    print(text, flush=True)',
    '    if "MAINPID" in text: break',
  ].join('\n')
  const listener = execa('python3', ['-c', listen, socket], { stdin: 'ignore' })
  t.teardown(() => listener.kill('SIGKILL'))
  await new Promise(resolve => listener.stdout.once('data', resolve))
  const module = join(packageRoot, 'dist', 'platform', 'systemd.js')
  const program = `import('${module}').then(({ attendSystemd, notifySystemd }) => { const leave = attendSystemd(console); setTimeout(() => { leave(); notifySystemd('MAINPID=' + process.pid, console) }, 500) })`
  execFileSync(process.execPath, ['-e', program], {
    env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' },
  })
  const { stdout } = await listener
  for (const word of ['READY=1', 'WATCHDOG=1', 'MAINPID=']) t.match(stdout, word)
})

/**
 * The image of deploy/Dockerfile, built by buildah with each of its steps run for real. No registry of images is asked: the
 * base is Debian as debootstrap's successor makes it, with the Node that npm has, under the name that the Dockerfile asks for.
 * Then it is run: as whom, with what, and what it keeps.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'
import { matchAll } from '../fixtures/match-all.js'
import { needs } from '../fixtures/needs.js'

const NPM_MAJOR = 10
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

t.setTimeout(30 * 60_000)

t.test('every step of the image runs, and what comes of it works', async t => {
  if (!needs(t, 'image')) return
  const scratch = realpathSync(t.testdir())
  const dockerfile = readFileSync(join(packageRoot, 'deploy', 'Dockerfile'), 'utf8')
  const [, base = '', node = '', debian = ''] = /^FROM (node:(\d+)-(\w+)-slim)$/m.exec(dockerfile) ?? []
  const buildah = async (...args: string[]) => {
    const [command = '', ...rest] = args
    const storage = ['--storage-driver', 'vfs', '--root', join(scratch, 'store'), '--runroot', join(scratch, 'run')]
    const isolated = command === 'run' || command === 'build' ? ['--isolation', 'chroot'] : []
    const { stdout } = await execa('buildah', [...storage, command, ...isolated, ...rest], { stdin: 'ignore' })
    return stdout.trim()
  }
  t.teardown(() => execa('buildah', ['--root', join(scratch, 'store'), '--runroot', join(scratch, 'run'), 'rm', '--all'], { reject: false })) // prettier-ignore

  await buildah('from', '--name', 'base', 'scratch')
  await buildah('add', 'base', await baseFolder(scratch, node, debian), '/')
  const trusted = existsSync(CERTIFICATES) ? ['--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`] : []
  await buildah('config', '--env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...trusted, 'base') // prettier-ignore
  await buildah('commit', '--quiet', 'base', `docker.io/library/${base}`)

  const context = join(scratch, 'context')
  mkdirSync(context)
  await execa('bash', ['-c', `git -C ${packageRoot} ls-files -z | tar -C ${packageRoot} --null -T - -cf - | tar -C ${context} -xf -`]) // prettier-ignore
  const ignore = join(context, 'deploy', 'Dockerfile.dockerignore')
  const began = performance.now()
  await buildah('build', '--pull-never', '--format', 'docker', '--ignorefile', ignore, '-f', join(context, 'deploy', 'Dockerfile'), '-t', 'edgetape', context) // prettier-ignore
  t.comment(`built in ${Math.round((performance.now() - began) / 1000)} s`)

  const inspected = JSON.parse(await buildah('inspect', '--type', 'image', 'edgetape')) as {
    Docker: { config: object }
  }
  matchAll(t, inspected.Docker.config, {
    User: '10001:10001',
    Entrypoint: ['edgetape'],
    Cmd: ['run', '--config', '/etc/edgetape/edgetape.yaml'],
    StopSignal: 'SIGTERM',
    Volumes: { '/data': {} },
    Healthcheck: { Test: ['CMD', 'node', '-e', /healthz/] },
  })
  await buildah('from', '--name', 'one', '--pull-never', 'edgetape')
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
  const run = (...command: string[]) => buildah('run', 'one', '--', ...command)
  t.equal(await run('edgetape', '--version'), version)
  t.equal(await run('id', '-u'), '10001')
  t.match(await run('node', '--version'), new RegExp(`^v${node}\\.`))
  t.match(
    await run('sh', '-c', 'rsync --version | head -n 1; ssh -V 2>&1; command -v flock'),
    /rsync.*\nOpenSSH.*\n.*flock/,
  )
  t.equal(await run('sh', '-c', 'hostname > /data/named && cat /data/named'), await run('hostname'), '/data is its own')
  t.equal(await run('sh', '-c', 'touch /opt/edgetape/x 2>/dev/null || echo refused'), 'refused', 'the program is not')
  t.equal(await run('sh', '-c', 'ls /opt/edgetape/node_modules | grep -c -x -e typescript -e tap || true'), '0')
  const doctor = await run('sh', '-c', 'edgetape init --yes --config /tmp/e.yaml --data-dir /data 1>&2 && edgetape doctor --config /tmp/e.yaml --json || true') // prettier-ignore
  const { findings } = JSON.parse(doctor) as { findings: { check: string; outcome: string }[] }
  for (const check of ['config', 'node', 'flock'])
    t.equal(findings.find(found => found.check === check)?.outcome, 'ok', check)
  // zstd runs as WebAssembly where its addon could not be had.
  t.not(findings.find(({ check }) => check === 'addons')?.outcome, 'failed', 'addons')
})

/** Debian and Node, in a folder; they come by apt and npm. */
async function baseFolder(scratch: string, node: string, debian: string): Promise<string> {
  const root = join(scratch, 'base')
  await execa('mmdebstrap', ['--mode=root', '--variant=minbase', debian, root])
  const npm = join(scratch, 'npm')
  const nodePackage = `node-linux-${process.arch}`
  mkdirSync(npm)
  await execa('npm', ['install', '--prefix', npm, '--no-audit', '--no-fund', `${nodePackage}@${node}`, `npm@${NPM_MAJOR}`]) // prettier-ignore
  copyFileSync(join(npm, 'node_modules', nodePackage, 'bin', 'node'), join(root, 'usr', 'local', 'bin', 'node'))
  cpSync(join(npm, 'node_modules', 'npm'), join(root, 'usr', 'local', 'lib', 'node_modules', 'npm'), {
    recursive: true,
  })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr', 'local', 'bin', 'npm'))
  if (existsSync(CERTIFICATES)) {
    mkdirSync(join(root, 'etc', 'ssl', 'certs'), { recursive: true })
    copyFileSync(CERTIFICATES, join(root, CERTIFICATES))
  }
  return root
}

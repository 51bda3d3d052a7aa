import { mkdirSync, readFileSync, readdirSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { parse } from 'yaml'
import { z } from '../../platform/zod.js'
import { packageRoot } from '../../platform/package-info.js'
import { needs } from '../fixtures/needs.js'
import { matchAll } from '../fixtures/match-all.js'

const script = join(packageRoot, 'deploy', 'install.sh')

/** The least of a built checkout: a program that writes the config it is asked for. */
function checkoutIn(folder: string, does: string): string {
  const from = join(folder, 'checkout')
  mkdirSync(join(from, 'dist', 'cli'), { recursive: true })
  writeFileSync(join(from, 'package.json'), '{"name":"edgetape","version":"9.9.9","files":["dist"]}')
  writeFileSync(
    join(from, 'dist', 'cli', 'main.js'),
    `const args = process.argv\nif (args[2] === 'init') require('fs').writeFileSync(args[args.indexOf('--config') + 1], 'a config\\n')\nelse console.log('${does}')\n`,
  )
  mkdirSync(join(from, 'deploy'), { recursive: true })
  return from
}

const tree = (folder: string) => (readdirSync(folder, { recursive: true }) as string[]).sort()

t.test('the installer installs, changes nothing the second time, and upgrades', async t => {
  const folder = t.testdir({ root: {} })
  const root = join(folder, 'root')
  const from = checkoutIn(folder, 'one')
  await execa('cp', ['-R', join(packageRoot, 'deploy', 'systemd'), join(from, 'deploy')])
  const install = (...more: string[]) => execa(script, ['--root', root, '--from', from, ...more], { reject: false })

  const dry = await install('--dry-run')
  t.equal(dry.exitCode, 0, dry.stderr)
  t.match(dry.stdout, /would write: .*edgetape-record\.service[^]*nothing was changed/)
  t.same(tree(root), [], 'a dry run changes nothing')

  const first = await install('--units', 'parts')
  t.equal(first.exitCode, 0, first.stderr)
  t.match(first.stdout, /systemctl enable --now edgetape-record edgetape-compact edgetape-sync edgetape-serve/)
  const release = readlinkSync(join(root, 'opt', 'edgetape'))
  t.match(release, /^\/opt\/edgetape-releases\/9\.9\.9-[0-9a-f]{12}$/)
  t.ok(statSync(join(root, release, 'dist', 'cli', 'main.js')).isFile())
  t.equal(statSync(join(root, 'etc', 'edgetape', 'secrets.env')).mode & 0o777, 0o600)
  t.match(
    readFileSync(join(root, 'usr', 'local', 'bin', 'edgetape'), 'utf8'),
    /^#!\/bin\/sh\nexec \S*node \/opt\/edgetape\//,
  )
  t.equal(readdirSync(join(root, 'etc', 'systemd', 'system')).length, 5)

  writeFileSync(join(root, 'etc', 'edgetape', 'edgetape.yaml'), 'mine\n')
  writeFileSync(join(root, 'etc', 'edgetape', 'secrets.env'), 'MINE=1\n')
  const before = tree(root)
  const second = await install()
  t.match(second.stdout, /nothing to change/)
  t.same(tree(root), before)

  checkoutIn(folder, 'two')
  const third = await install()
  t.equal(third.exitCode, 0, third.stderr)
  t.not(readlinkSync(join(root, 'opt', 'edgetape')), release)
  t.ok(statSync(join(root, release)).isDirectory(), 'what runs keeps its files')
  t.equal(readFileSync(join(root, 'etc', 'edgetape', 'edgetape.yaml'), 'utf8'), 'mine\n')
  t.equal(readFileSync(join(root, 'etc', 'edgetape', 'secrets.env'), 'utf8'), 'MINE=1\n')
})

t.test('mistakes are told before anything is done', async t => {
  const folder = t.testdir({ empty: {} })
  const unbuilt = await execa(script, ['--root', folder, '--from', join(folder, 'empty')], { reject: false })
  t.equal(unbuilt.exitCode, 1)
  t.match(unbuilt.stderr, /npm ci/)
  t.equal((await execa(script, ['--units', 'some'], { reject: false })).exitCode, 2)
  t.same(tree(folder), ['empty'])
})

t.test('shellcheck has nothing to say', async t => {
  if (!needs(t, 'shellcheck')) return
  const { stdout, exitCode } = await execa('shellcheck', [script], { reject: false })
  t.equal(exitCode, 0, stdout)
})

t.test('hadolint has nothing to say', async t => {
  if (!needs(t, 'hadolint')) return
  const { stdout, exitCode } = await execa('hadolint', [join(packageRoot, 'deploy', 'Dockerfile')], { reject: false })
  t.equal(exitCode, 0, stdout)
  t.equal(stdout, '')
})

t.test('the compose file keeps what must be kept, and gives away nothing else', t => {
  const text = readFileSync(join(packageRoot, 'deploy', 'compose.yaml'), 'utf8')
  const { services } = z
    .object({
      services: z.object({ edgetape: z.record(z.string(), z.unknown()) }),
      volumes: z.object({ data: z.null() }),
    })
    .parse(parse(text))
  matchAll(t, services.edgetape, {
    build: { dockerfile: 'deploy/Dockerfile' },
    read_only: true,
    cap_drop: ['ALL'],
    ports: ['127.0.0.1:9464:9464'],
    volumes: ['data:/data', /edgetape\.yaml:ro$/, /ssh:ro$/],
  })
  const dockerfile = readFileSync(join(packageRoot, 'deploy', 'Dockerfile'), 'utf8')
  t.match(dockerfile, /^USER 10001:10001$/m)
  t.match(dockerfile, /^VOLUME \["\/data"\]$/m)
  t.match(dockerfile, /^HEALTHCHECK .*\n.*healthz/m)
  t.end()
})

/**
 * npm's `prepare`: builds what npm ci or npm install brought from the sources. Where TypeScript was left out (--omit=dev) and
 * nothing is built yet, it is borrowed for this one build, and stays in npm's cache. A packed file comes built.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

const run = (program, ...args) => spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status

// Where neither a compiler nor the addon's own place can be reached, npm leaves it out: tests, which use its types, are not checked there.
const without = existsSync(join(root, 'node_modules', 'zstd-napi')) ? [] : ['--noCheck']

if (existsSync(compiler)) process.exitCode = run(process.execPath, compiler, '-p', 'tsconfig.json', ...without) ?? 1
else if (!existsSync(join(root, 'dist', 'cli', 'main.js')) && existsSync(join(root, 'tsconfig.json'))) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  // Types of others are left out, too, so that nothing can be checked here.
  const unchecked = ['--noCheck', '--declaration', 'false', '--sourceMap', 'false', '--incremental', 'false']
  const borrowed = [
    'exec',
    '--yes',
    `--package=typescript@${devDependencies.typescript}`,
    '--',
    'tsc',
    '-p',
    'tsconfig.json',
  ]
  if (run('npm', ...borrowed, ...unchecked) !== 0)
    process.stderr.write(
      'edgetape: nothing is built: TypeScript was left out (--omit=dev) and could not be borrowed; run npm ci, or install what npm pack makes elsewhere\n',
    )
}

import { readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { cliMain } from '../fixtures/cli.js'

/** Each of them costs a third of a millisecond, whatever is in it: what a command does not need is to stay away. */
const MOST_MODULES = { help: 65, status: 341, coverage: 325 }
const MOST_OF_STORAGE = 74
/** Of zod, too, what is needed: not what it says in other languages. */
const LANGUAGES = /\/zod\/.*\/locales\/(?!en\.|index\.)/
/** What takes longest to load; a folder without data needs none of them. */
const HEAVY = /node_modules\/(?:@duckdb|zstd-napi|pino|chokidar|execa|undici|ws)\//

/** What is imported is noted when it is loaded, what is required at the end. */
const LISTEN = `import { appendFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
register('./hook.mjs', import.meta.url)
const required = createRequire(import.meta.url).cache
process.on('exit', () => appendFileSync(process.env.LOADED, Object.keys(required).join('\\n')))`
const hookThatNotes = (noted: string) => `import { appendFileSync } from 'node:fs'
import { getPriority } from 'node:os'
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, ${noted} + '\\n')
  return next(url, context)
}`
const HOOK = hookThatNotes('url')

/** What a program loads that runs in this folder, and what it complains of. */
async function loadedBy(folder: string, ...args: string[]): Promise<{ urls: string[]; stderr: string }> {
  const loaded = join(folder, 'loaded.txt')
  writeFileSync(loaded, '')
  const { stderr } = await execa(
    process.execPath,
    ['--import', pathToFileURL(join(folder, 'listen.mjs')).href, ...args],
    {
      ...{ cwd: folder, env: { LOADED: loaded }, reject: false, stdin: 'ignore' },
    },
  )
  return { urls: readFileSync(loaded, 'utf8').trim().split('\n'), stderr }
}

t.test('a command loads what it needs and little else', async t => {
  const folder = t.testdir({
    'listen.mjs': LISTEN,
    'hook.mjs': HOOK,
    'edgetape.yaml': 'host: h\ndataDir: ./data\nexchange: { name: deribit }\n',
    data: { raw: { 'exchange=deribit': {} } },
  })
  for (const [command, most] of Object.entries(MOST_MODULES)) {
    const { urls, stderr } = await loadedBy(folder, cliMain, command)
    t.notMatch(stderr, /flag/, `${command}: no flag that this Node does not know`)
    t.ok(urls.length > 20 && urls.length <= most, `${command}: ${urls.length} of at most ${most} modules`)
    t.same(
      urls.filter(url => HEAVY.test(url)),
      [],
      `${command}: none that is heavy`,
    )
    t.same(
      urls.filter(url => LANGUAGES.test(url)),
      [],
      `${command}: in one language`,
    )
  }
})

t.test('the storage thread held a library of 12 MiB that reads what is seldom there', async t => {
  const folder = t.testdir({ 'listen.mjs': LISTEN, 'hook.mjs': HOOK })
  // Not a worker here, it loads all that it needs and then says so.
  const thread = fileURLToPath(new URL('../../recorder/storage/thread.js', import.meta.url))
  const { urls, stderr } = await loadedBy(folder, thread)
  t.match(stderr, 'must be started as a worker')
  t.ok(urls.length > 20 && urls.length <= MOST_OF_STORAGE, `${urls.length} of at most ${MOST_OF_STORAGE} modules`)
  t.same(
    urls.filter(url => /node_modules\/zod\//.test(url)),
    [],
    'none of it',
  )
})

t.test('what has low priority had that of a recorder while it was loaded', async t => {
  const folder = t.testdir({
    'listen.mjs': LISTEN,
    'hook.mjs': hookThatNotes("getPriority() + ' ' + url"),
    data: { raw: { 'exchange=deribit': {} } },
  })
  const worker = fileURLToPath(new URL('../../monitor/http/coverage/worker.js', import.meta.url))
  const at = ['--path', 'data', '--date', '2026-11-22']
  for (const args of [
    [worker, 'data'],
    [cliMain, 'report', ...at],
    [cliMain, 'coverage', '--write', ...at],
    [cliMain, 'verify', 'bits', 'data', '--for', '1'],
  ]) {
    const { urls } = await loadedBy(folder, ...args)
    const parts = urls.filter(url => /\/(?:coverage\/account|reader)\//.test(url))
    t.ok(parts.length > 5, `${args[1]}: ${parts.length} modules`)
    t.same(
      parts.filter(url => !url.startsWith(`${constants.priority.PRIORITY_LOW} `)),
      [],
      `${args[1]}: all behind others`,
    )
  }
})

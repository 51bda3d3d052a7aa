import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { cliMain } from '../fixtures/cli.js'

/** Each of them costs a third of a millisecond, whatever is in it: what a command does not need is to stay away. */
const MOST_MODULES = { help: 65, status: 310, coverage: 300 }
/** What takes longest to load; a folder without data needs none of them. */
const HEAVY = /node_modules\/(?:@duckdb|zstd-napi|pino|chokidar|execa|undici|ws)\//

const HOOK = `import { appendFileSync } from 'node:fs'
export async function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n')
  return next(url, context)
}`

t.test('a command loads what it needs and little else', async t => {
  const folder = t.testdir({
    'hook.mjs': HOOK,
    'edgetape.yaml': 'host: h\ndataDir: ./data\nexchange: { name: deribit }\n',
    data: { raw: { 'exchange=deribit': {} } },
  })
  const hook = pathToFileURL(join(folder, 'hook.mjs')).href
  const register = `data:text/javascript,import{register}from'node:module';register(${JSON.stringify(hook)})`
  for (const [command, most] of Object.entries(MOST_MODULES)) {
    const loaded = join(folder, `${command}.txt`)
    writeFileSync(loaded, '')
    const { stderr } = await execa(process.execPath, ['--import', register, cliMain, command], {
      ...{ cwd: folder, env: { LOADED: loaded }, reject: false, stdin: 'ignore' },
    })
    t.notMatch(stderr, /flag/, `${command}: no flag that this Node does not know`)
    const urls = readFileSync(loaded, 'utf8').trim().split('\n')
    t.ok(urls.length > 20 && urls.length <= most, `${command}: ${urls.length} of at most ${most} modules`)
    t.same(
      urls.filter(url => HEAVY.test(url)),
      [],
      `${command}: none that is heavy`,
    )
  }
})

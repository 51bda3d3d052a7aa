import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../platform/package-info.js'
import { countResults, summaryOf } from './results.js'

/** `test/config/load.test.ts`, as people write it, to the compiled file that runs. */
function compiled(file: string): string {
  return file.replace(/^(?:\.\/)?test\/(.*)\.ts$/, 'dist/test/$1.js')
}

/**
 * On a terminal the terse report. Elsewhere a line a file: the reporter redraws its last lines unless it believes to be
 * in CI (which is not the `CI` by which tests decide whether something missing is a failure).
 */
const report = process.stdout.isTTY
  ? { reporter: 'terse', env: {} }
  : { reporter: 'base', env: { CONTINUOUS_INTEGRATION: '1' } }

/** Runs all tests, or the files named; the report streams by, the last line counts. */
async function run(files: string[]): Promise<number> {
  const record = join(packageRoot, '.tap', 'results.tap')
  mkdirSync(join(packageRoot, '.tap'), { recursive: true })
  writeFileSync(record, '')
  const options = ['run', `--reporter=${report.reporter}`, `--output-file=${record}`]
  const { exitCode } = await execa('tap', [...options, ...files.map(compiled)], {
    cwd: packageRoot,
    preferLocal: true,
    localDir: packageRoot,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: report.env,
    reject: false,
  })
  const results = countResults(readFileSync(record, 'utf8'))
  process.stdout.write(`\n${summaryOf(results)}\n`)
  return exitCode === 0 && results.failed === 0 && results.passed > 0 ? 0 : 1
}

process.exitCode = await run(process.argv.slice(2))

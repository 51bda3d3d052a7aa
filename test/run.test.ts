import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../platform/package-info.js'

t.test('a failed test that leaves programs, a server and a folder behind ends soon, with one failure', async t => {
  const startedMs = performance.now()
  const { stdout, exitCode } = await execa(
    process.execPath,
    ['dist/test/run.js', 'test/fixtures/fails-and-leaves.ts'],
    { cwd: packageRoot, reject: false },
  )
  t.equal(exitCode, 1)
  t.match(stdout, /what went wrong/)
  t.match(stdout, /1 passed, 1 failed, 0 skipped$/)
  t.ok(performance.now() - startedMs < 100_000, 'long before the timeout of a file')
  t.match(stdout, /^its folder is gone$/m)
})

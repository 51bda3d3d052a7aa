/**
 * Loaded before each file of tests, so that a failed assertion costs seconds. tap removes a test's folder before what was
 * registered after it is torn down: programs that a failed test left running wrote into the folder while it went, the
 * removal failed, nothing was torn down, and the file waited for its timeout.
 */
import { rm } from 'node:fs/promises'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import type { TAP, Test } from 'tap'
import { processorSecondsLine } from './processor-seconds.js'

/** What still runs after a failure has this long to end by itself. */
const AFTER_FAILURE_MS = 5000
/** A file may do something between two tests of its top level. */
const BETWEEN_TESTS_MS = 60_000
const LEFT_OPEN = 'all tests are done, and something is left open: '

/** Registered first, the removal runs last; a program that was told to end may write for another moment. */
function removeFolderLast(test: Test): void {
  if (test.saveFixture) return
  test.saveFixture = true
  test.after(() => rm(test.testdirName, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }))
}

/** Ends a process that neither a test nor anything else but what was left open keeps alive. */
function endWhatIsLeft(t: TAP): void {
  if (!t.results && !t.idle) return
  const left = process.getActiveResourcesInfo().filter(kind => kind !== 'Timeout')
  if (t.passing() && !t.results) t.fail(LEFT_OPEN + left.join(', '))
  process.stderr.write(`${LEFT_OPEN}${left.join(', ')}\n`)
  process.exitCode = 1
  // The programs are ended by who started this file.
  process.exit()
}

/** Folders of tests lie where the runner says, a place for each process. */
function placeFolders(t: TAP): void {
  const place = process.env['EDGETAPE_TESTS_FOLDER']
  if (place !== undefined) t.testdirName = join(place, 'test')
}

function endCleanly(t: TAP): void {
  let waiting: NodeJS.Timeout | undefined
  const wait = () => {
    clearTimeout(waiting)
    const withinMs = t.passing() ? BETWEEN_TESTS_MS : AFTER_FAILURE_MS
    waiting = setTimeout(() => endWhatIsLeft(t), withinMs).unref()
  }
  removeFolderLast(t)
  t.beforeEach(removeFolderLast)
  t.on('idle', wait)
  t.on('complete', wait)
}

/**
 * tap follows each promise from its birth until it is collected, to know of which test an error is that nobody caught: up to
 * a third of what a file took. Without that such an error ends the file, which fails.
 */
async function importTap(): Promise<TAP> {
  const hooks = createRequire(import.meta.url)('node:async_hooks') as typeof import('node:async_hooks')
  const { createHook } = hooks
  hooks.createHook = () => createHook({})
  syncBuiltinESMExports()
  const { default: t } = await import('tap')
  hooks.createHook = createHook
  syncBuiltinESMExports()
  return t
}

// Threads that are tested load it, too: there tap would write its results into the messages of the thread.
if (isMainThread) {
  const t = await importTap()
  placeFolders(t)
  endCleanly(t)
  process.once('exit', () => process.stdout.write(processorSecondsLine()))
}

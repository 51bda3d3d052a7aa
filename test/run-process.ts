import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { hasErrno } from '../platform/edge-error.js'
import { packageRoot } from '../platform/package-info.js'
import { makeScratchFolder } from './scratch-folder.js'

/** A process of tests that takes longer says what it waits for, and is ended. */
const PROCESS_S = 240
const KILLED_AFTER_S = PROCESS_S + 20
const CLEAN_END = new URL('./clean-end.js', import.meta.url).href
/** Processes of seconds make less machine code for functions that soon run no more: a twentieth of their time. */
const SHORT_LIVED = process.versions.node.startsWith('20.')
  ? ['--no-parallel-scavenge', '--interrupt-budget=1056000']
  : []

const scratch = makeScratchFolder()
process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
/** Where tests and programs make temporary files. */
const temporary = join(scratch, 'tmp')
mkdirSync(temporary)
/** What several files need is made here by the first of them. */
const shared = join(scratch, 'shared')
let begun = 0

/** Processes of tests, each with the programs that it started in a process group of its own. */
const children = new Set<{ readonly pid?: number | undefined }>()

function endGroup({ pid }: { readonly pid?: number | undefined }): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(signal, () => {
    for (const child of children) endGroup(child)
    process.exit(1)
  })

/** What a process of tests wrote, and what was wrong with its end, if anything. */
interface Ran {
  stdout: string
  stderr: string
  trouble?: string
  seconds: number
}

/** Runs a compiled file of tests, or what runs several, to its end. */
export async function runProcess(args: readonly string[]): Promise<Ran> {
  const begunMs = performance.now()
  const child = execa(process.execPath, [...SHORT_LIVED, `--import=${CLEAN_END}`, ...args], {
    cwd: packageRoot,
    stdin: 'ignore',
    reject: false,
    timeout: KILLED_AFTER_S * 1000,
    env: {
      ...{ TAP: '1', TAP_TIMEOUT: String(PROCESS_S), TMPDIR: temporary },
      ...{ EDGETAPE_TESTS_FOLDER: join(scratch, String(++begun)), EDGETAPE_TESTS_SHARE: shared },
      // Node 20 reads these at each start, which takes twice as long then; no test speaks with anyone outside.
      NODE_EXTRA_CA_CERTS: undefined,
    },
    detached: true,
  })
  children.add(child)
  // What a failed test left running would keep the pipes open for ever.
  child.once('exit', () => {
    children.delete(child)
    endGroup(child)
  })
  const { stdout, stderr, exitCode, signal, timedOut } = await child
  const trouble = timedOut ? `not done after ${KILLED_AFTER_S} s` : `ended with ${signal ?? exitCode ?? 'an error'}`
  const seconds = (performance.now() - begunMs) / 1000
  return { stdout, stderr, seconds, ...(exitCode !== 0 && { trouble }) }
}

import { execa } from 'execa'
import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import type { ExitFacts } from './rsync-exit.js'

export interface RsyncRun {
  program: string
  args: readonly string[]
  /** Paths, relative to the source folder. */
  paths: readonly string[]
  signal: AbortSignal
  /** Without a byte of output for so long it is killed; rsync's own --timeout does not notice every kind of hang. */
  idleMs: number
  onLine: (line: string) => void
}

const STDERR_KEPT_CHARS = 16_384
const KILL_AFTER_MS = 5000

/**
 * Runs one rsync to its end, without a shell, in a process group of its own, so that its ssh ends with it. Nothing of
 * our environment changes what it does.
 * @throws EdgeError SYNC_RSYNC_MISSING; SYNC_TARGET_HANGS silent for too long; the signal's reason after an abort
 */
export async function runRsync({ program, args, paths, signal, idleMs, onLine }: RsyncRun): Promise<ExitFacts> {
  signal.throwIfAborted()
  const child = execa(program, args, {
    input: paths.map(path => `${path}\0`).join(''),
    env: rsyncEnvironment(process.env),
    extendEnv: false,
    detached: true,
    reject: false,
    buffer: false,
    stripFinalNewline: false,
  })
  const killGroup = () => {
    signalGroup(child.pid, 'SIGTERM')
    setTimeout(() => signalGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS).unref()
  }
  const watch = { hangs: false }
  const idle = setTimeout(() => {
    watch.hangs = true
    killGroup()
  }, idleMs)
  signal.addEventListener('abort', killGroup, { once: true })
  if (signal.aborted) killGroup()

  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', lineSplitter(onLine, idle))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    idle.refresh()
    if (stderr.length < STDERR_KEPT_CHARS) stderr += text
  })
  try {
    const result = await child
    signal.throwIfAborted()
    if (watch.hangs) {
      throw new EdgeError('SYNC_TARGET_HANGS', `nothing came from rsync for ${idleMs / 1000} s`, { retry: true })
    }
    if (hasErrno(result.cause, 'ENOENT')) {
      throw new EdgeError('SYNC_RSYNC_MISSING', 'there is no rsync here', {
        cause: result.cause,
        retry: true,
        hint: 'apt-get install rsync, or use a mounted folder as sync.target',
      })
    }
    return { code: result.exitCode, stderr }
  } finally {
    clearTimeout(idle)
    signal.removeEventListener('abort', killGroup)
  }
}

/** Cuts output into lines; progress ends in a carriage return. Any output is a sign of life. */
function lineSplitter(onLine: (line: string) => void, idle: NodeJS.Timeout): (text: string) => void {
  let rest = ''
  return text => {
    idle.refresh()
    const lines = (rest + text).split(/[\r\n]/)
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') onLine(line)
  }
}

/** English messages, and none of the settings that rsync takes from the environment, but for the password. */
export function rsyncEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([key]) => !key.startsWith('RSYNC_') || key === 'RSYNC_PASSWORD')
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

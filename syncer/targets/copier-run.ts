import { EdgeError, hasErrno } from '../../platform/edge-error.js'
import { lowerStarted } from '../../platform/low-priority.js'

/** A program that brings files elsewhere: rsync, rclone. */
export interface CopierRun {
  program: string
  args: readonly string[]
  /** What it is given on stdin. */
  input: string
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  /** Without a byte of output for so long it is killed; a program's own limits do not notice every kind of hang. */
  idleMs: number
  onLine: (line: string) => void
  /** The error where there is no such program. */
  missing: (cause: unknown) => EdgeError
}

export interface CopierExit {
  code: number | undefined
  stderr: string
}

const STDERR_KEPT_CHARS = 16_384
const KILL_AFTER_MS = 5000

/**
 * Runs a program that copies to its end, without a shell, in a process group of its own, so that its ssh ends with it.
 * @throws EdgeError SYNC_TARGET_HANGS silent for too long; what `missing` makes; the signal's reason after an abort
 */
export async function runCopier({
  program,
  args,
  input,
  env,
  signal,
  idleMs,
  onLine,
  missing,
}: CopierRun): Promise<CopierExit> {
  signal.throwIfAborted()
  // A hundred modules, of which a pass without anything to bring needs none.
  const { execa } = await import('execa')
  const child = execa(program, args, {
    input,
    env,
    extendEnv: false,
    detached: true,
    reject: false,
    buffer: false,
    stripFinalNewline: false,
  })
  if (child.pid !== undefined) lowerStarted(child.pid)
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
      throw new EdgeError('SYNC_TARGET_HANGS', `nothing came from ${program} for ${idleMs / 1000} s`, { retry: true })
    }
    if (hasErrno(result.cause, 'ENOENT')) {
      throw missing(result.cause)
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

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, name)
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error
  }
}

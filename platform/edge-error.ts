import { constants } from 'node:os'

/** What an error needs so that a person knows what to do, and a program whether trying again can help. */
interface EdgeErrorFacts {
  /** What to try, in words for the person at the keyboard. */
  hint?: string
  /** True when the same call may succeed later without anyone's help. */
  retry?: boolean
  /** File the error is about. */
  path?: string
  cause?: unknown
}

/**
 * The one error class of the product. `code` is stable and UPPER_SNAKE; programs match on it, never on the text.
 * Messages say what was found and what was wanted; no capital at the start, no full stop at the end.
 */
export class EdgeError extends Error {
  override readonly name = 'EdgeError'
  readonly code: string
  readonly hint: string | undefined
  readonly retry: boolean
  readonly path: string | undefined

  constructor(code: string, message: string, facts: EdgeErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.hint = facts.hint
    this.retry = facts.retry ?? false
    this.path = facts.path
  }
}

/** The message of anything thrown, for logs and journal entries. */
export function messageOf(thrown: unknown): string {
  return withErrnoNames(thrown instanceof Error ? thrown.message : String(thrown))
}

/** True for errors of the operating system with one of these codes, e.g. `hasErrno(error, 'ENOENT')`. */
export function hasErrno(thrown: unknown, ...codes: string[]): boolean {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') return false
  return codes.includes(withErrnoNames(thrown.code))
}

/** Node calls some errors of the operating system by number only, that of a used up quota among them. */
function withErrnoNames(text: string): string {
  return text.replace(/Unknown system error -(\d+)/g, (nameless, number) => {
    const found = Object.entries(constants.errno).find(([, errno]) => errno === Number(number))
    return found?.[0] ?? nameless
  })
}

/** What fails for want of something that the machine is short of, or that its disk or network refuses: nothing that a file could be blamed for. */
const MACHINE_ERRNOS = [
  ...['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EBUSY', 'EINTR', 'EIO', 'ETIMEDOUT'],
  ...['EACCES', 'EPERM', 'ESTALE', 'ENOTCONN', 'EHOSTDOWN', 'EHOSTUNREACH', 'ENETDOWN', 'ENETUNREACH', 'ENOLCK'],
]
/** The same in the words of the C library, as other libraries pass them on: DuckDB names no code. */
const MACHINE_WORDS = new RegExp(
  [
    'No space left on device|Disk quota exceeded|Read-only file system|File too large',
    'Too many open files|Cannot allocate memory|Out of Memory Error|Resource temporarily unavailable',
    'Input\\/output error|Connection timed out|Permission denied|Operation not permitted|Device or resource busy',
    'Interrupted system call|Stale file handle|Transport endpoint is not connected|Host is down|No route to host',
    'Network is (?:down|unreachable)|No locks available',
  ].join('|'),
  'i',
)

/**
 * True for errors of the machine: no room, no file handle, no memory, no answer. Whoever takes a file that cannot be read
 * for a damaged one asks this first, since such an error says nothing about the file.
 */
export function isMachineError(thrown: unknown): boolean {
  if (hasErrno(thrown, ...MACHINE_ERRNOS) || MACHINE_WORDS.test(messageOf(thrown))) return true
  return thrown instanceof Error && thrown.cause !== undefined && isMachineError(thrown.cause)
}

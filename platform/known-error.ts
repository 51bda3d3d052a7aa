import { accessSync, constants, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { addonMissing } from './addons.js'
import { EdgeError, messageOf } from './edge-error.js'

/** What a person can do where the system refuses; of errors that no list has, the name alone must do. */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'give it to the user that runs edgetape (chown), or choose another place',
  EPERM: 'give it to the user that runs edgetape (chown), or choose another place',
  EROFS: 'the file system is mounted read-only: dmesg may say why; mount it for writing, or choose another place',
  ENOSPC: 'the disk is full: make room there',
  EDQUOT: 'the quota is used up: make room there',
  ENOTDIR: 'a file stands where a folder must be: move it away',
  EEXIST: 'something else stands there: move it away',
  ENOENT: 'it is not there: make it, or choose another place',
  EMFILE: 'too many files are open: allow more (ulimit -n)',
  EIO: 'the disk cannot be read or written: dmesg may say why',
}

/** Begins the name of every temporary file of ours. */
const OURS = 'edgetape-'

interface SystemError extends Error {
  code: string
  syscall: string
  path: string
}

/**
 * For whoever is at the keyboard: what was thrown, with code, message and hint; undefined where nothing of it is known,
 * so that only a mistake of ours ends in a stack trace.
 */
export function knownError(thrown: unknown): EdgeError | undefined {
  if (thrown instanceof EdgeError) return thrown
  const missing = addonMissing(thrown)
  if (missing) return missing
  if (!isOfSystem(thrown)) return undefined
  const { path, syscall } = thrown
  const { code, text } = refusalOf(thrown)
  if (path.startsWith(join(tmpdir(), OURS))) {
    return new EdgeError('TMPDIR_UNUSABLE', `cannot use ${tmpdir()} for temporary files: ${text}`, {
      ...{ path, cause: thrown },
      hint: 'TMPDIR must name a folder that is there and can be written to',
    })
  }
  const hint = HINTS[code]
  return new EdgeError('FILE_REFUSED', `cannot ${syscall} ${path}: ${text}`, {
    ...{ path, cause: thrown, ...(hint !== undefined && { hint }) },
  })
}

function isOfSystem(thrown: unknown): thrown is SystemError {
  if (!(thrown instanceof Error) || !('code' in thrown && 'syscall' in thrown && 'path' in thrown)) return false
  return [thrown.code, thrown.syscall, thrown.path].every(each => typeof each === 'string')
}

/** Node says ENOENT of a folder that it cannot make; the folder around it says why. */
function refusalOf(error: SystemError): { code: string; text: string } {
  if (error.code !== 'ENOENT' || error.syscall !== 'mkdir') return { code: error.code, text: messageOf(error) }
  let around = dirname(error.path)
  while (!existsSync(around)) around = dirname(around)
  try {
    accessSync(around, constants.W_OK)
  } catch (refusal) {
    if (isOfSystem(refusal)) return { code: refusal.code, text: messageOf(refusal) }
    throw refusal
  }
  return { code: error.code, text: messageOf(error) }
}

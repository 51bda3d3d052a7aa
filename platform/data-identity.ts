import { randomInt } from 'node:crypto'
import { lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from './zod.js'
import { createFolderDurable, writeFileDurable } from './durable-file.js'
import { EdgeError, hasErrno } from './edge-error.js'
import { acquireProcessLock, type ProcessLock } from './process-lock.js'

/** Lies in `dataDir`, not in `state/`, which may be lost; never shipped. */
export const IDENTITY_FILE = '.edgetape-data'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const LENGTH = 8
/** Whoever makes one needs a moment. */
const WAIT_MS = 5000
const LOOK_EVERY_MS = 20

const identitySchema = z.object({
  identity: z.string().regex(/^[a-z0-9]{8}$/),
  /** Of the folder, and of the machine where it says: a copy of the folder, or of the machine, is another one. */
  folder: z.string(),
  machine: z.string(),
})

type Identity = z.infer<typeof identitySchema>

/**
 * Distinguishes this dataDir from any other; made once by whichever part comes first and durable then. Names of what is
 * shipped carry it, so that two recorders that bear one host name never use one name.
 */
export function dataIdentity(dataDir: string): string {
  return readDataIdentity(dataDir) ?? makeIdentity(dataDir, () => true)
}

/**
 * The same for the recorder, which begins what bears the name: where the folder is a copy of another, or its machine a
 * clone, it gets an identity of its own.
 */
export function ownDataIdentity(dataDir: string): string {
  const isOurs = (found: Identity) => {
    const { folder, machine } = birthOf(dataDir)
    return found.folder === folder && found.machine === machine
  }
  const found = read(dataDir)
  return found && isOurs(found) ? found.identity : makeIdentity(dataDir, isOurs)
}

/** The identity that a dataDir has; undefined where it has none yet. Nothing is written. */
export function readDataIdentity(dataDir: string): string | undefined {
  return read(dataDir)?.identity
}

function read(dataDir: string): Identity | undefined {
  const path = join(dataDir, IDENTITY_FILE)
  try {
    // A link would lead to another folder's.
    if (!lstatSync(path).isFile()) throw unreadable(path, 'it is not a file')
    return identitySchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    // What a fault of the disk left: names made with a new one collide with none.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined
    throw error
  }
}

/** Parts start together: one of them makes it, the others wait for that. */
function makeIdentity(dataDir: string, isOurs: (found: Identity) => boolean): string {
  createFolderDurable(dataDir)
  const lock = lockWithin(join(dataDir, 'state', 'identity.lock'))
  try {
    const found = read(dataDir)
    if (found && isOurs(found)) return found.identity
    const identity = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
    const made: Identity = { identity, ...birthOf(dataDir) }
    writeFileDurable(join(dataDir, IDENTITY_FILE), `${JSON.stringify(made)}\n`)
    return identity
  } finally {
    lock.release()
  }
}

function lockWithin(path: string): ProcessLock {
  const deadlineMs = performance.now() + WAIT_MS
  for (;;) {
    try {
      return acquireProcessLock(path, 'start')
    } catch (error) {
      if (!(error instanceof EdgeError) || error.code !== 'LOCK_HELD' || performance.now() > deadlineMs) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS)
    }
  }
}

/** Distinguishes a dataDir from a copy of it: a folder keeps its inode when it is moved or mounted elsewhere; a copy has another. */
export function birthOf(dataDir: string): Pick<Identity, 'folder' | 'machine'> {
  return { folder: String(statSync(dataDir, { bigint: true }).ino), machine: machineId() }
}

/** Empty where a system has none, as in most containers. */
function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim()
  } catch (error) {
    if (error instanceof Error) return ''
    throw error
  }
}

function unreadable(path: string, why: string): EdgeError {
  return new EdgeError('DATA_IDENTITY_UNREADABLE', `cannot read the identity of this dataDir: ${why}`, {
    path,
    hint: 'remove it: a new one is made, and no name of before is used again',
  })
}

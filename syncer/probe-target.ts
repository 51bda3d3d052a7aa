import { createHash, randomInt } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Config } from '../config/schema.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { readIdentity } from './ledger-store.js'
import { parseTarget } from '../config/target-address.js'
import { createTarget } from './targets/open-target.js'
import type { FileProblem, OutgoingFile, Target, Work } from './targets/target.js'

/** What was tried at the target, in this order; what comes after a failure is skipped. */
export interface ProbeStep {
  step: 'address' | 'connect' | 'write' | 'verify' | 'remove'
  outcome: 'ok' | 'failed' | 'skipped'
  /** In words, for a person. */
  message: string
  /** Of a failed step: code, hint, and whether waiting can help. */
  error?: EdgeError
}

export interface ProbeOptions {
  /** `dataDir` may be missing; it is only looked at, for which target was used before. */
  config: Pick<Config, 'dataDir' | 'sync'>
  signal: AbortSignal
}

/** Readers do not see it; at the end of a probe it is removed, or kept small and written over by the next. */
export const PROBE_NAME = '.edgetape-probe'

/**
 * Tries at `sync.target` what the syncer will do there, with one small file: reach it, write, have the checksum computed
 * there. Nothing else at the target changes: a folder that was never used is neither made nor marked. Never throws for
 * what is wrong with the target; that is in the steps.
 */
export async function probeTarget({ config, signal }: ProbeOptions): Promise<ProbeStep[]> {
  const steps: ProbeStep[] = []
  const here = mkdtempSync(join(tmpdir(), 'edgetape-probe-'))
  try {
    const target = await attempt(steps, 'address', () => {
      const found = createTarget(config.sync)
      return { value: found, message: found.label }
    })
    if (!target) return skipRest(steps)
    const work: Work = { dataDir: here, signal, onFile: () => undefined }
    const file = writeProbe(here)
    const isThere = await attempt(steps, 'connect', () => connect(target, config, file, work))
    if (isThere !== true) return skipRest(steps, isThere === false ? 'there is no folder yet' : undefined)
    const wrote = await attempt(steps, 'write', () => write(target, file, work))
    const verified = wrote && (await attempt(steps, 'verify', () => verify(target, file, work)))
    if (!verified) skipRest(steps, undefined, ['write', 'verify'])
    await attempt(steps, 'remove', () => remove(config, file, wrote === true))
    return steps
  } finally {
    rmSync(here, { recursive: true, force: true })
  }
}

interface Found<T> {
  value: T
  message: string
}

/** Runs one step and notes it; undefined where it failed. */
async function attempt<T>(
  steps: ProbeStep[],
  step: ProbeStep['step'],
  action: () => Found<T> | Promise<Found<T>>,
): Promise<T | undefined> {
  try {
    const { value, message } = await action()
    steps.push({ step, outcome: 'ok', message })
    return value
  } catch (thrown) {
    const error =
      thrown instanceof EdgeError ? thrown : new EdgeError('SYNC_PROBE_FAILED', messageOf(thrown), { cause: thrown })
    steps.push({ step, outcome: 'failed', message: error.message, error })
    return undefined
  }
}

const ORDER = ['address', 'connect', 'write', 'verify', 'remove'] as const

function skipRest(
  steps: ProbeStep[],
  why = 'not tried after the failure before',
  rest: readonly ProbeStep['step'][] = ORDER,
): ProbeStep[] {
  const done = new Set(steps.map(({ step }) => step))
  for (const step of rest) if (!done.has(step)) steps.push({ step, outcome: 'skipped', message: why })
  return steps
}

/** Content and time tell probes apart: rsync takes a file of the same size and second for the one that is left there. */
function writeProbe(folder: string): OutgoingFile {
  const content = `edgetape probe of ${new Date().toISOString()}\n`
  const modifiedS = 1 + randomInt(1e9)
  writeFileSync(join(folder, PROBE_NAME), content)
  utimesSync(join(folder, PROBE_NAME), modifiedS, modifiedS)
  const digest = (algorithm: string) => createHash(algorithm).update(content).digest('hex')
  return {
    ...{ path: PROBE_NAME, bytes: Buffer.byteLength(content), mtimeMs: modifiedS * 1000 },
    ...{ sha256: digest('sha256'), md5: digest('md5'), replace: false },
  }
}

/** False for a folder that is not there yet and would be made by the first pass. */
async function connect(
  target: Target,
  { dataDir, sync }: ProbeOptions['config'],
  file: OutgoingFile,
  work: Work,
): Promise<Found<boolean>> {
  const known = readIdentity(join(dataDir, 'state', 'syncer'), target.label)
  const address = parseTarget(sync.target ?? '')
  if (address.kind === 'folder') {
    // Opening a target for the first time would mark it, and an empty mount point must not be marked by a mere look.
    if (known === undefined) return neverUsed(address.path)
    await target.open(known)
    return { value: true, message: 'it is the folder that was used before' }
  }
  await target.prepare()
  const { error } = await target.verify([file], work)
  if (error) throw error
  return { value: true, message: 'rsync answers' }
}

function neverUsed(path: string): Found<boolean> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return { value: true, message: 'the folder is there' }
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory()) {
    return { value: false, message: 'the folder is not there yet; the first pass makes it' }
  }
  throw new EdgeError('SYNC_TARGET_MISSING', `neither ${path} nor the folder above it exists`, {
    path,
    retry: true,
    hint: 'is it mounted, and spelled right?',
  })
}

async function write(target: Target, file: OutgoingFile, work: Work): Promise<Found<true>> {
  const { done, problems, error } = await target.ship([file], work)
  requireNone(problems, error)
  if (!done.includes(file.path)) throw new EdgeError('SYNC_PROBE_FAILED', 'the probe did not arrive', { retry: true })
  const durable = target.syncsToDisk ? '' : '; it cannot sync to disk, so files wait for twice sync.graceMinutes'
  return { value: true, message: `${file.bytes} bytes written${durable}` }
}

async function verify(target: Target, file: OutgoingFile, work: Work): Promise<Found<true>> {
  const { verdicts, problems, error } = await target.verify([file], work)
  requireNone(problems, error)
  const verdict = verdicts.get(file.path)
  if (verdict === 'same') return { value: true, message: 'the checksum computed there is the one computed here' }
  throw new EdgeError('SYNC_PROBE_DIFFERS', `the probe that was written is ${verdict ?? 'unknown'} there`, {
    hint: 'the disk or the memory of the target may be failing; see its own logs',
  })
}

function requireNone([problem]: readonly FileProblem[], error: EdgeError | undefined): void {
  if (error) throw error
  if (!problem) return
  throw new EdgeError('SYNC_TARGET_REFUSED', problem.reason, {
    retry: true,
    hint: 'may the user of sync.target write to that folder?',
  })
}

/** A folder of this machine is cleaned up; through rsync nothing is ever deleted, so there the file stays. */
function remove({ sync }: ProbeOptions['config'], file: OutgoingFile, wasWritten: boolean): Found<true> {
  const address = parseTarget(sync.target ?? '')
  if (!wasWritten) return { value: true, message: 'there is nothing to remove' }
  if (address.kind !== 'folder') {
    return { value: true, message: `${PROBE_NAME} stays (${file.bytes} bytes): nothing is ever deleted through rsync` }
  }
  const path = join(address.path, PROBE_NAME)
  if (readFileSync(path, 'utf8').startsWith('edgetape probe of ')) rmSync(path)
  return { value: true, message: 'removed' }
}

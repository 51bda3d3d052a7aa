import { randomUUID } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../config/schema.js'
import { syncerState } from '../formats/ledger.js'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { LedgerStore } from './ledger-store.js'
import { readMemory } from './place/memory.js'
import { findHere, notElsewhere } from './place/own-place.js'
import { placeOf } from './place/place-of.js'
import { requireElsewhere } from './place/target-place.js'
import { requireFoldersElsewhere } from './place/tokens.js'
import { foldersOf } from './local-tree.js'
import { isLockHeld } from '../platform/lock-state.js'
import { createTarget } from './targets/open-target.js'
import type { Mark } from './place/mark.js'
import type { Target } from './targets/target.js'

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
  const target = await attempt(steps, 'address', () => {
    const found = createTarget(config.sync)
    requireElsewhere(config.dataDir, found)
    return { value: found, message: found.label }
  })
  if (!target) return skipRest(steps)
  const probe = { name: PROBE_NAME, content: `edgetape probe of ${new Date().toISOString()} ${randomUUID()}\n` }
  const isThere = await attempt(steps, 'connect', () => connect(target, config, signal))
  if (isThere !== true) return skipRest(steps, isThere === false ? 'there is no folder yet' : undefined)
  const wrote = await attempt(steps, 'write', () => write(target, probe, config, signal))
  const verified = wrote && (await attempt(steps, 'verify', () => verify(target, probe, signal)))
  if (!verified) skipRest(steps, undefined, ['write', 'verify'])
  await attempt(steps, 'remove', () => remove(target, probe, wrote === true))
  return steps
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

/** False for a folder that is not there yet and would be made by the first pass. */
async function connect(target: Target, config: ProbeOptions['config'], signal: AbortSignal): Promise<Found<boolean>> {
  const isKnown = await isUsedBefore(target, config, signal)
  // Using a target for the first time would mark it, and an empty mount point must not be marked by a mere look.
  if (target.folder !== undefined) {
    return isKnown ? { value: true, message: 'it is the folder that was used before' } : neverUsed(target.folder)
  }
  await target.prepare()
  await target.compareMarks([{ name: PROBE_NAME, content: '' }], signal)
  return { value: true, message: isKnown ? 'rsync answers, at the place that was used before' : 'rsync answers' }
}

/** @throws EdgeError where it was used before and what answers is not that place */
async function isUsedBefore(
  target: Target,
  { dataDir, sync }: ProbeOptions['config'],
  signal: AbortSignal,
): Promise<boolean> {
  if (!existsSync(dataDir)) return false
  const real = realpathSync(dataDir)
  const stateDir = syncerState(real)
  const isKnown = readMemory(real, target.label) !== undefined
  if (!isKnown && !existsSync(stateDir)) return false
  const ledgers = isKnown ? undefined : new LedgerStore(stateDir, target.label, true)
  const place = placeOf({ sync, dataDir: real, target, signal }, ledgers)
  return (await place.check(signal)) !== undefined
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

async function write(
  target: Target,
  probe: Mark,
  { dataDir }: ProbeOptions['config'],
  signal: AbortSignal,
): Promise<Found<true>> {
  const isLeft = (await target.compareMarks([probe], signal)).get(probe.name) !== 'missing'
  await target.writeMark(probe, isLeft ? 'over' : 'new', signal)
  const isIt = (path: string) => readFileSync(path, 'utf8') === probe.content
  const here = findHere(dataDir, probe.name, { deep: true, isIt })
  if (here) {
    rmSync(here.path)
    throw notElsewhere(target.label, here.overlap, dataDir)
  }
  await requireFoldersApart(target, dataDir, signal)
  const durable = target.syncsToDisk ? '' : '; it cannot sync to disk, so files wait for twice sync.graceMinutes'
  return { value: true, message: `${Buffer.byteLength(probe.content)} bytes written${durable}` }
}

/** Not beside a syncer, which asks for itself and takes what it finds of such files here for its own. */
async function requireFoldersApart(target: Target, dataDir: string, signal: AbortSignal): Promise<void> {
  if (target.folder !== undefined || !existsSync(dataDir)) return
  const real = realpathSync(dataDir)
  if (isLockHeld(join(syncerState(real), 'lock'))) return
  await requireFoldersElsewhere(real, target, foldersOf(real), signal)
}

async function verify(target: Target, probe: Mark, signal: AbortSignal): Promise<Found<true>> {
  const verdict = (await target.compareMarks([probe], signal)).get(probe.name)
  if (verdict === 'same') return { value: true, message: 'the checksum computed there is the one computed here' }
  throw new EdgeError('SYNC_PROBE_DIFFERS', `the probe that was written is ${verdict ?? 'unknown'} there`, {
    hint: 'the disk or the memory of the target may be failing; see its own logs',
  })
}

/** A folder of this machine is cleaned up; through rsync nothing is ever deleted, so there the file stays. */
function remove({ folder }: Target, { name, content }: Mark, wasWritten: boolean): Found<true> {
  if (!wasWritten) return { value: true, message: 'there is nothing to remove' }
  if (folder === undefined) {
    return { value: true, message: `${name} stays (${content.length} bytes): nothing is ever deleted through rsync` }
  }
  const path = join(folder, name)
  if (readFileSync(path, 'utf8').startsWith('edgetape probe of ')) rmSync(path)
  return { value: true, message: 'removed' }
}

import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { execa } from 'execa'
import type { Config } from '../../config/schema.js'
import { parseTarget, sshPlaceOf } from '../../config/target-address.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { probeTarget, type ProbeStep } from '../../syncer/probe-target.js'
import { sshCommand } from '../../syncer/targets/rsync-options.js'
import type { Finding } from './finding.js'
import { adviceFor } from './target-advice.js'

/** A look must not take as long as a transfer may. */
const TIMEOUT_SECONDS_MAX = 20

/** Tries at sync.target all that the syncer does there. */
export async function nasFinding({ dataDir, sync }: Config, signal: AbortSignal): Promise<Finding> {
  const timeoutSeconds = Math.min(TIMEOUT_SECONDS_MAX, sync.timeoutSeconds)
  const key = await keyTrouble(sync.sshKey)
  if (key) return key
  const steps = await probeTarget({ config: { dataDir, sync: { ...sync, timeoutSeconds } }, signal })
  return judgeTarget(steps, sync)
}

/** ssh says only that it is refused when it did not dare to use a key. */
async function keyTrouble(path: string | undefined): Promise<Finding | undefined> {
  if (path === undefined) return undefined
  try {
    const { mode } = await stat(path)
    if ((mode & 0o077) === 0) return undefined
    const message = `sync.sshKey: others may read ${path}, so ssh does not use it`
    return { check: 'nas', outcome: 'failed', message, hint: `chmod 600 ${path}` }
  } catch (error) {
    const message = `sync.sshKey: ${messageOf(error)}`
    const hint = `ssh-keygen -t ed25519 -N '' -f ${path}, as the user that runs edgetape; see docs/nas.md`
    return { check: 'nas', outcome: 'failed', message, hint }
  }
}

/** Pure. */
function judgeTarget(steps: readonly ProbeStep[], sync: Config['sync']): Finding {
  const target = sync.target ?? ''
  const facts = { target, steps: steps.map(({ step, outcome }) => ({ step, outcome })) }
  const failed = steps.find(({ outcome }) => outcome === 'failed')
  if (failed) {
    const { step, message, error } = failed
    const hint = (error && adviceFor(error, sync)) ?? error?.hint
    return {
      check: 'nas',
      outcome: 'failed',
      message: `${WORDS[step]} failed: ${message}`,
      ...(hint === undefined ? {} : { hint }),
      facts: { ...facts, ...(error ? { code: error.code } : {}) },
    }
  }
  const untried = steps.find(({ outcome }) => outcome === 'skipped')
  if (untried) {
    return {
      check: 'nas',
      outcome: 'warning',
      message: `${target}: ${untried.message}, so nothing was tried`,
      hint: `if it is a mount, mount it; else mkdir ${target}; then look again`,
      facts,
    }
  }
  const done = steps.filter(({ outcome }) => outcome === 'ok').map(({ message }) => message)
  const [label, ...rest] = done
  return { check: 'nas', outcome: 'ok', message: `${label ?? target}: ${rest.join('; ')}`, facts }
}

const WORDS: Record<ProbeStep['step'], string> = {
  address: 'understanding sync.target',
  connect: 'connecting',
  write: 'writing a file',
  verify: 'verifying it',
  remove: 'removing it',
}

/** Free bytes at the target; undefined where it does not say: an rsync daemon, or a key that may run rsync alone. */
export async function targetSpace(sync: Config['sync'], signal: AbortSignal): Promise<number | undefined> {
  if (sync.target === undefined) return undefined
  try {
    const address = parseTarget(sync.target)
    if (address.kind === 'folder') return await folderSpace(address.path)
    return address.kind === 'ssh' ? await spaceOverSsh(address.destination, sync, signal) : undefined
  } catch (error) {
    // The check of the target itself reports whatever is wrong with it.
    if (error instanceof EdgeError || (error instanceof Error && 'code' in error)) return undefined
    throw error
  }
}

async function folderSpace(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path).catch(() => statfs(dirname(path)))
  return bavail * bsize
}

async function spaceOverSsh(
  destination: string,
  { sshKey, sshPort, knownHosts }: Config['sync'],
  signal: AbortSignal,
): Promise<number | undefined> {
  const { login, path } = sshPlaceOf(destination)
  const [program = 'ssh', ...options] = sshCommand(
    { key: sshKey, port: sshPort, knownHosts },
    TIMEOUT_SECONDS_MAX,
  ).split(' ')
  // The path has no character that a shell over there would take for anything else.
  const args = [...options, '--', login, 'df', '-Pk', path]
  const { stdout, failed } = await execa(program, args, { cancelSignal: signal, reject: false, stdin: 'ignore' })
  return failed ? undefined : freeOfDf(stdout)
}

/** Of `df -Pk`: the fourth column of the last line, KiB. */
export function freeOfDf(text: string): number | undefined {
  const kib = /\s(\d+)\s+\d+%\s+\S+\s*$/.exec(text.trimEnd())?.[1]
  return kib === undefined ? undefined : Number(kib) * 1024
}

import { execa } from 'execa'
import type { Finding } from './finding.js'

/** Node of this version runs everything. */
const NODE_MAJOR_MIN = 20

/** Pure. */
export function nodeFinding(version: string): Finding {
  const major = Number(version.split('.')[0])
  const facts = { version }
  if (major >= NODE_MAJOR_MIN) return { check: 'node', outcome: 'ok', message: `Node ${version}`, facts }
  return {
    check: 'node',
    outcome: 'failed',
    message: `Node ${version}, wanted ${NODE_MAJOR_MIN} or later`,
    hint: 'install a current Node from https://nodejs.org or https://deb.nodesource.com',
    facts,
  }
}

export type ProgramName = 'flock' | 'rsync' | 'ssh' | 'rclone'

interface Program {
  args: readonly string[]
  version: RegExp
  /** Below it the program is of no use. */
  atLeast: readonly [major: number, minor: number]
  /** Below it something is missing, which `without` names. */
  better?: readonly [major: number, minor: number]
  without?: string
  purpose: string
  install: string
}

const PROGRAMS: Record<ProgramName, Program> = {
  flock: {
    args: ['--version'],
    version: /(\d+)\.(\d+)/,
    atLeast: [0, 0],
    purpose: 'locks, so that no two recorders write to one dataDir',
    install: 'apt-get install util-linux',
  },
  rsync: {
    args: ['--version'],
    version: /version v?(\d+)\.(\d+)/,
    atLeast: [3, 1],
    better: [3, 2],
    without: 'it may lack --fsync, so files wait twice as long before they are believed to be safe',
    purpose: 'brings files to sync.target',
    install: 'apt-get install rsync',
  },
  rclone: {
    args: ['version'],
    version: /rclone v(\d+)\.(\d+)/,
    atLeast: [1, 54],
    better: [1, 63],
    without: 'on a store that is a file system (SFTP, SMB) readers see files while they come',
    purpose: 'brings files to sync.target',
    install: 'apt-get install rclone, or see rclone.org/install',
  },
  ssh: {
    args: ['-V'],
    version: /OpenSSH_(\d+)\.(\d+)/,
    atLeast: [7, 6],
    purpose: 'the way to sync.target',
    install: 'apt-get install openssh-client',
  },
}

/** Runs the program and judges its version. */
export async function programFinding(name: ProgramName, signal: AbortSignal): Promise<Finding> {
  const { args } = PROGRAMS[name]
  const { failed, stdout, stderr, code } = await execa(name, args, { cancelSignal: signal, reject: false })
  return judgeProgram(name, failed && code === 'ENOENT' ? undefined : `${stdout}\n${stderr}`)
}

/**
 * Pure.
 * @param said what it prints about itself; undefined: it is not installed
 */
export function judgeProgram(name: ProgramName, said: string | undefined): Finding {
  const { version, atLeast, better, without, purpose, install } = PROGRAMS[name]
  if (said === undefined)
    return {
      check: name,
      outcome: 'failed',
      message: `not installed; ${purpose}`,
      hint: install,
      facts: { version: null },
    }
  const found = version.exec(said)
  const pair: [number, number] | undefined = found ? [Number(found[1]), Number(found[2])] : undefined
  const facts = { version: pair?.join('.') ?? null }
  // busybox names no version, and its flock does.
  if (!pair && name === 'flock') return { check: name, outcome: 'ok', message: 'there', facts }
  if (!pair || isBelow(pair, atLeast)) {
    const message = `found ${pair?.join('.') ?? firstLineOf(said)}, wanted ${atLeast.join('.')} or later`
    return { check: name, outcome: 'failed', message, hint: install, facts }
  }
  if (better && isBelow(pair, better))
    return { check: name, outcome: 'warning', message: `${pair.join('.')}: ${without ?? ''}`, hint: install, facts }
  return { check: name, outcome: 'ok', message: pair.join('.'), facts }
}

function isBelow([major, minor]: readonly [number, number], [toMajor, toMinor]: readonly [number, number]): boolean {
  return major < toMajor || (major === toMajor && minor < toMinor)
}

function firstLineOf(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 100) || 'nothing'
}

import { EdgeError } from '../../platform/edge-error.js'
import { runCopier } from './copier-run.js'
import type { ExitFacts } from './rsync-exit.js'

export interface RsyncRun {
  program: string
  args: readonly string[]
  /** Paths, relative to the source folder. */
  paths: readonly string[]
  signal: AbortSignal
  idleMs: number
  onLine: (line: string) => void
}

/**
 * Runs one rsync to its end. Nothing of our environment changes what it does.
 * @throws EdgeError SYNC_RSYNC_MISSING, and as `runCopier`
 */
export function runRsync({ paths, ...run }: RsyncRun): Promise<ExitFacts> {
  return runCopier({
    ...run,
    input: paths.map(path => `${path}\0`).join(''),
    env: rsyncEnvironment(process.env),
    missing: cause =>
      new EdgeError('SYNC_RSYNC_MISSING', 'there is no rsync here', {
        cause,
        retry: true,
        hint: 'apt-get install rsync, or use a mounted folder as sync.target',
      }),
  })
}

/** English messages, and none of the settings that rsync takes from the environment, but for the password. */
export function rsyncEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([key]) => !key.startsWith('RSYNC_') || key === 'RSYNC_PASSWORD')
  return { ...Object.fromEntries(kept), LC_ALL: 'C' }
}

import { join } from 'node:path'
import { listFolder } from './partition-folders.js'
import { parseRecorderName } from './recorder-name.js'

/**
 * Where a recorder keeps what is its own below `state/`: by exchange and host, with or without the identity of the dataDir
 * behind it, since all of it is in that dataDir.
 */
export function recorderState(
  dataDir: string,
  exchange: string,
  name: string,
  what: 'lock' | 'reserve' | 'volumes',
): string {
  return join(dataDir, 'state', `recorder-${exchange}-${parseRecorderName(name).host}.${what}`)
}

/** Paths of reserves in `state/`, each with the lock of its recorder. */
export function reservesIn(dataDir: string): { reserve: string; lock: string }[] {
  const state = join(dataDir, 'state')
  return listFolder(dataDir, 'state')
    .folders.filter(name => /^recorder-.*\.reserve$/.test(name))
    .map(name => ({ reserve: join(state, name), lock: join(state, name.replace(/reserve$/, 'lock')) }))
}

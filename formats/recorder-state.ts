import { join } from 'node:path'
import { parseRecorderName } from './recorder-name.js'

/**
 * Where a recorder keeps what is its own below `state/`: by exchange and host, with or without the identity of the dataDir
 * behind it, since all of it is in that dataDir.
 */
export function recorderState(dataDir: string, exchange: string, name: string, what: 'lock' | 'reserve'): string {
  return join(dataDir, 'state', `recorder-${exchange}-${parseRecorderName(name).host}.${what}`)
}

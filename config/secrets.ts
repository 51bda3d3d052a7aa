import { readFileSync } from 'node:fs'
import { EdgeError, messageOf } from '../platform/edge-error.js'
import { expandHome } from './paths.js'

/** Keys of the exchange account; only raw intervals need them. */
export interface Credentials {
  clientId: string
  clientSecret: string
}

/**
 * Credentials from DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, or from the file that DERIBIT_CLIENT_SECRET_FILE names;
 * undefined where none are set. They are never in the config file, and nothing that is logged or recorded carries them.
 * @throws EdgeError CREDENTIALS_INCOMPLETE only one of the two is set; CREDENTIALS_UNREADABLE the file cannot be read
 */
export function credentialsFrom(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const clientId = environment['DERIBIT_CLIENT_ID'] ?? ''
  const clientSecret = secretFrom(environment)
  if (clientId === '' && clientSecret === '') return undefined
  if (clientId === '' || clientSecret === '') {
    const missing = clientId === '' ? 'DERIBIT_CLIENT_ID' : 'DERIBIT_CLIENT_SECRET'
    throw new EdgeError('CREDENTIALS_INCOMPLETE', `${missing} is not set, the other one of the two is`, {
      hint: 'set both, or none',
    })
  }
  return { clientId, clientSecret }
}

function secretFrom(environment: NodeJS.ProcessEnv): string {
  const secret = environment['DERIBIT_CLIENT_SECRET'] ?? ''
  const path = environment['DERIBIT_CLIENT_SECRET_FILE'] ?? ''
  if (secret !== '' || path === '') return secret
  try {
    return readFileSync(expandHome(path), 'utf8').trim()
  } catch (cause) {
    throw new EdgeError('CREDENTIALS_UNREADABLE', `cannot read DERIBIT_CLIENT_SECRET_FILE: ${messageOf(cause)}`, {
      path,
      cause,
    })
  }
}

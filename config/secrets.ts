import { readFileSync } from 'node:fs'

/** Keys of the exchange account; only raw intervals need them. */
export interface Credentials {
  clientId: string
  clientSecret: string
}

/**
 * Credentials from DERIBIT_CLIENT_ID and DERIBIT_CLIENT_SECRET, or from the file that DERIBIT_CLIENT_SECRET_FILE names.
 * They are never in the config file, and nothing that is logged or recorded carries them.
 */
export function credentialsFrom(environment: NodeJS.ProcessEnv): Credentials | undefined {
  const clientId = environment['DERIBIT_CLIENT_ID']
  const file = environment['DERIBIT_CLIENT_SECRET_FILE']
  const clientSecret =
    environment['DERIBIT_CLIENT_SECRET'] ?? (file === undefined ? undefined : readFileSync(file, 'utf8').trim())
  return clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret }
}

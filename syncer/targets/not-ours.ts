import { EdgeError } from '../../platform/edge-error.js'

/** For a file that has our name at the target and was not brought from here. Neither is touched. */
export function notOurs(label: string, path: string): EdgeError {
  return new EdgeError('SYNC_NOT_OURS', notOursReason(label), { path })
}

/** The same as the reason why a file is not brought, with what to do. */
export function notOursReason(label: string): string {
  return (
    `another file of this name lies at ${label} and was not brought from here; both stay as they are. Does another ` +
    'recorder use the same host name? Look at the one there, then move it away or give this recorder another host'
  )
}

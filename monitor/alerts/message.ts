import { version } from '../../platform/package-info.js'
import type { Alert } from './state.js'
import { firstCommand } from './first-command.js'

/** What receivers get. `text` is one line for a person. */
export interface AlertMessage {
  text: string
  what: Alert['what'] | 'test'
  alert: string
  host: string
  since: string
  version: string
  /** The first command to type; left out where all is well again. */
  run?: string
}

const HEADS = { raised: 'ALERT', still: 'STILL', cleared: 'OK', test: 'TEST' } as const

/** Pure. */
export function messageOfAlert(
  { key, what, text, sinceMs }: Omit<Alert, 'what'> & Pick<AlertMessage, 'what'>,
  host: string,
): AlertMessage {
  const run = what === 'cleared' ? undefined : firstCommand(key)
  // What a library says may be several lines.
  const oneLine = text.replace(/\s+/g, ' ').trim()
  const line = `[${HEADS[what]}] edgetape ${host}: ${oneLine}${run === undefined ? '' : `; type: ${run}`}`
  const since = new Date(sinceMs).toISOString()
  return { text: line, what, alert: key, host, since, version, ...(run !== undefined && { run }) }
}

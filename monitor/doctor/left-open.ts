import type { Config } from '../../config/schema.js'
import { openElsewhere, type OpenCount } from '../../formats/left-open.js'
import { elsewhereText } from '../observe/elsewhere-text.js'
import type { Finding } from './finding.js'

/** Segments in dataDir that a recorder of another host name or exchange has open, or left open. */
export function leftOpenFindings({ dataDir, host, exchanges }: Config, openBy: readonly OpenCount[]): Finding[] {
  return openElsewhere(dataDir, { exchanges: exchanges.map(({ name }) => name), host }, openBy).map(found => ({
    check: 'open segments',
    outcome: found.isAlive ? 'ok' : 'warning',
    message: elsewhereText(found),
    ...(!found.isAlive && {
      hint: 'start the recorder, or restart it; and set host in the config, so that its name stays',
    }),
    facts: { ...found },
  }))
}

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/schema.js'
import { parseTarget } from '../../config/target-address.js'
import { parseSegmentPath } from '../../formats/raw-path.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import { readDataIdentity } from '../../platform/data-identity.js'
import { hasErrno } from '../../platform/edge-error.js'
import type { Finding } from './finding.js'

/** Every recorder writes a journal: its newest days are enough to see who brings files. */
const DATES = 7

/** Whether a folder target holds files of another recorder that bears this one's host name. */
export function otherRecorders({ dataDir, host, sync }: Config): Finding[] {
  const address = parseTarget(sync.target ?? '')
  if (address.kind !== 'folder') return []
  const own = readDataIdentity(dataDir)
  const others = [...recordersIn(address.path)].filter(name => {
    const found = parseRecorderName(name)
    return found.host === host && found.identity !== undefined && found.identity !== own
  })
  if (others.length === 0) return []
  return [
    {
      check: 'host',
      outcome: 'warning',
      message: `${address.path} holds files of another recorder that is called ${host}, too: ${others.join(', ')}`,
      hint: 'nothing is overwritten, but people cannot tell them apart: give each machine its own host in the config. It may also be this one, before its dataDir was made anew or copied',
      facts: { recorders: others },
    },
  ]
}

/** The recorders whose journals of the last days lie in a tree. */
function recordersIn(root: string): Set<string> {
  const found = new Set<string>()
  for (const exchange of namesIn(root, 'raw')) {
    const journal = `raw/${exchange}/channel=journal`
    for (const date of namesIn(root, journal).sort().slice(-DATES)) {
      for (const hour of namesIn(root, `${journal}/${date}`)) {
        for (const file of namesIn(root, `${journal}/${date}/${hour}`)) {
          const parsed = parseSegmentPath(`${journal}/${date}/${hour}/${file}`)
          if (parsed) found.add(parsed.name.host)
        }
      }
    }
  }
  return found
}

function namesIn(root: string, folder: string): string[] {
  try {
    return readdirSync(join(root, folder))
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  }
}

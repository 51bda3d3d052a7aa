import type { Config } from '../../config/schema.js'
import { parseTarget } from '../../config/target-address.js'
import { segmentDate } from '../../formats/raw-path.js'
import { rawFiles } from '../../formats/raw-tree.js'
import { parseRecorderName } from '../../formats/recorder-name.js'
import { readDataIdentity } from '../../platform/data-identity.js'
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
      hint: 'nothing is overwritten, but people would confuse them: give each machine its own host in the config. It may also be this machine, before its dataDir was created again or copied',
      facts: { recorders: others },
    },
  ]
}

/** The recorders whose journals of the last days lie in a tree. */
function recordersIn(root: string): Set<string> {
  const found = new Set<string>()
  const dates = new Set<string>()
  const mayHold = (family: string) => family === 'journal'
  for (const { name } of rawFiles(root, { mayHold, newestFirst: true })) {
    dates.add(segmentDate(name))
    if (dates.size > DATES) break
    found.add(name.host)
  }
  return found
}

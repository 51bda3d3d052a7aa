import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dayOf } from '../../../coverage/account/measure.js'
import { exchangesIn, readAccountFacts } from '../../../coverage/account/read-facts.js'
import { datesOfTree } from '../../../formats/tree-place.js'
import type { Findings } from '../findings.js'

const DAY_US = 86_400_000_000

/**
 * Segments of which there is a trace and that are nowhere. In a dataDir nothing goes without a record, so each is a fault; a
 * copy of one need not have all, and is not asked.
 */
export async function reportVanished(root: string, nowUs: number, findings: Findings): Promise<void> {
  const dates = datesOfTree(root)
  if (!dates || !existsSync(join(root, 'state'))) return
  for (const exchange of exchangesIn(root)) {
    const reported = new Set<string>()
    for (let { fromUs } = dayOf(dates.first); fromUs < dayOf(dates.last).toUs; fromUs += DAY_US) {
      const { vanished } = await readAccountFacts(root, exchange, { fromUs, toUs: fromUs + DAY_US }, nowUs)
      for (const { host, family, cause } of vanished) {
        const message = `${cause} (${host})`
        if (reported.has(message)) continue
        reported.add(message)
        findings.add({ weight: 'fault', code: 'VANISHED', path: `raw/exchange=${exchange}/channel=${family}`, message })
      }
    }
  }
}

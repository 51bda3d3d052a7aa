import { ADDONS, loadAddon } from '../../platform/addons.js'
import type { Finding } from './finding.js'

/** Loads what is compiled for one system and one Node, as the parts will. */
export async function addonFindings(): Promise<Finding[]> {
  for (const name of ADDONS) await loadAddon(name)
  return [{ check: 'addons', outcome: 'ok', message: ADDONS.join(', ') }]
}

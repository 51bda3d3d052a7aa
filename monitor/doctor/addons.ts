import { ADDONS, loadAddon } from '../../platform/addons.js'
import { zstdIsSlow } from '../../platform/zstd.js'
import type { Finding } from './finding.js'

/** Loads what is compiled for one system and one Node, as the parts will. */
export function addonFindings(): Finding[] {
  for (const name of ADDONS) loadAddon(name)
  const missing = zstdIsSlow()
  if (missing === undefined) return [{ check: 'addons', outcome: 'ok', message: [...ADDONS, 'zstd-napi'].join(', ') }]
  return [
    {
      check: 'addons',
      outcome: 'warning',
      message: `the addon zstd-napi is not there (${missing}): zstd runs as WebAssembly, several times slower`,
      hint: 'that does for an ordinary load. With python3, make and g++, npm rebuild zstd-napi compiles it',
    },
  ]
}

import type { Manifest } from '../../formats/manifest.js'
import { manifestOf } from '../../formats/segment-files.js'
import { EdgeError } from '../../platform/edge-error.js'

/** A segment's manifest as far as the account can read it: one of a later format is left to `verify` to name. */
export function knownManifest(path: string): Manifest | undefined {
  try {
    return manifestOf(path)
  } catch (error) {
    if (error instanceof EdgeError && error.code === 'MANIFEST_TOO_NEW') return undefined
    throw error
  }
}

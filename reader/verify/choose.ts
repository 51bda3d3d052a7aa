import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { holdsFiles } from '../../formats/tree-place.js'
import { EdgeError } from '../../platform/edge-error.js'
import { requireDate } from '../../platform/utc-date.js'
import type { Proof } from './proof.js'
import { proofs } from './proofs.js'

/**
 * What `verify [what] [path]` is to prove, and where: without a path the dataDir of the config, without a name all that
 * is there. A single argument that names no proof is a path.
 * @throws EdgeError VERIFY_UNKNOWN, VERIFY_NOTHING, and those of the config
 */
export async function chooseProofs(
  what: string | undefined,
  path: string | undefined,
  config: string,
): Promise<{ proofs: readonly Proof[]; place: string }> {
  const named = proofs.find(({ name }) => name === what)
  if (path !== undefined && !named) {
    const names = proofs.map(({ name, describes }) => `${name} (${describes})`).join(', ')
    throw new EdgeError('VERIFY_UNKNOWN', `found ${what ?? ''}, wanted one of: ${names}`)
  }
  const givenPlace = named ? path : what
  const place = givenPlace ?? (await dataDirOf(config))
  if (named) return { proofs: [named], place }
  const here = proofs.filter(({ isHere }) => isHere(place))
  if (here.length > 0 && holdsFiles(place)) return { proofs: here, place }
  // No dataDir: a folder or file of one. Whoever can prove it says so, or says what it wanted.
  const owner = proofs.find(({ name }) => place.split('/').includes(name)) ?? proofs[0]
  if (here.length === 0 && owner && existsSync(place)) return { proofs: [owner], place }
  throw new EdgeError('VERIFY_NOTHING', `nothing to prove in ${place}`, {
    path: place,
    hint: `wanted a folder with ${join('raw', 'exchange=…')} in it`,
  })
}

/** @throws EdgeError DATE_INVALID, VERIFY_DATE */
export function requireDateOfProofs(date: string, proofs: readonly Proof[]): void {
  requireDate(date)
  if (proofs.every(({ byDate }) => byDate)) return
  const names = proofs.map(({ name }) => name).join(', ')
  throw new EdgeError('VERIFY_DATE', `--date goes with a proof of single days, not with ${names}`, {
    hint: 'edgetape verify parquet --date 2026-11-22, or: verify nas --date 2026-11-22; of segments name a folder: verify raw data/raw/…/date=2026-11-22',
  })
}

async function dataDirOf(config: string): Promise<string> {
  const { loadConfig } = await import('../../config/load.js')
  return loadConfig(config).dataDir
}

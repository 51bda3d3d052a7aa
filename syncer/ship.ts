import { EdgeError } from '../platform/edge-error.js'
import { noticePath } from '../formats/superseded-files.js'
import { handOver, handOverInPlace, type Parcel } from './hand-over.js'
import type { LocalFile } from './local-tree.js'
import { failWith, isStopped, type PassWork } from './pass-work.js'
import { isCurrent } from './plan.js'
import { sortParcels } from './replacements.js'
import { planAnew, planNow, type Visit } from './visit.js'

/**
 * Brings to the target what is planned and wanted: files that go by themselves, then those that take the place of others.
 * @returns what had its turn
 */
export async function ship(
  work: PassWork,
  visits: readonly Visit[],
  isWanted: (file: LocalFile) => boolean,
): Promise<readonly Parcel[]> {
  if (!work.mayShip || isStopped(work) || parcelsOf(work, visits, isWanted).length === 0) return []
  planAnew(visits)
  if (!(await advance(work))) return []
  const parcels = parcelsOf(work, visits, isWanted)
  const { plain, replacing } = sortParcels(parcels)
  await handOver(work, plain)
  if (!work.target.replace) {
    await handOver(
      work,
      replacing.flatMap(({ parcels: held }) => held).filter(held => isTold(held, work.recorder)),
    )
    return parcels
  }
  for (const { parcels: together, gone } of replacing) {
    if (isStopped(work)) break
    await handOverInPlace(work, together, gone)
  }
  return parcels
}

/** What the compactor is switching right now waits for the next pass. */
function parcelsOf(work: PassWork, visits: readonly Visit[], isWanted: (file: LocalFile) => boolean): Parcel[] {
  return visits.flatMap(visit =>
    planNow(visit, work)
      .ship.filter(({ file }) => isWanted(file) && !(visit.isSwitching && file.kind === 'parquet'))
      .map(parcel => ({ ...parcel, visit })),
  )
}

/** Before the first file, the mark there goes on. False where that failed. */
async function advance(work: PassWork): Promise<boolean> {
  try {
    await work.place.advance(work.signal)
    return true
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    failWith(work, error)
    return false
  }
}

/** Where nothing is deleted, readers must know what to leave out before they find what replaces it. */
function isTold({ visit: { date, ledger, local } }: Parcel, recorder: string): boolean {
  const path = noticePath(date, recorder)
  const notice = local.files.find(file => file.path === path)
  const record = ledger.get(path)
  return (
    notice !== undefined && isCurrent(notice, record) && (record.state === 'shipped' || record.state === 'verified')
  )
}

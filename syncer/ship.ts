import { EdgeError } from '../platform/edge-error.js'
import { replacedListPath } from '../formats/replaced-files.js'
import { upload, uploadInPlace, type UploadItem } from './upload.js'
import { dateFolderOf, type LocalFile } from './local-tree.js'
import { failWith, isStopped, type PassWork } from './pass-work.js'
import { isCurrent } from './plan.js'
import { sortItems } from './replacements.js'
import { planAnew, planNow, type DatePass } from './date-pass.js'

/**
 * Brings to the target what is planned and wanted: files that go by themselves, then those that take the place of others.
 * @returns what had its turn
 */
export async function ship(
  work: PassWork,
  datePasses: readonly DatePass[],
  isWanted: (file: LocalFile) => boolean,
): Promise<readonly UploadItem[]> {
  if (!work.mayShip || isStopped(work) || itemsOf(work, datePasses, isWanted).length === 0) return []
  planAnew(datePasses)
  const items = itemsOf(work, datePasses, isWanted)
  if (!(await advance(work, items))) return []
  const { plain, replacing } = sortItems(items)
  await upload(work, plain)
  if (!work.target.replace) {
    await upload(
      work,
      replacing.flatMap(({ items: held }) => held).filter(held => isAnnounced(held, work.recorder)),
    )
    return items
  }
  for (const { items: together, gone } of replacing) {
    if (isStopped(work)) break
    await uploadInPlace(work, together, gone)
  }
  return items
}

/** What the compactor is switching right now waits for the next pass. */
function itemsOf(
  work: PassWork,
  datePasses: readonly DatePass[],
  isWanted: (file: LocalFile) => boolean,
): UploadItem[] {
  return datePasses.flatMap(datePass =>
    planNow(datePass, work)
      .ship.filter(({ file }) => isWanted(file) && !(datePass.isSwitching && file.kind === 'parquet'))
      .map(item => ({ ...item, datePass })),
  )
}

/**
 * Before the first file, the mark there goes on. False where that failed.
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE a folder there is one here
 */
async function advance(work: PassWork, items: readonly UploadItem[]): Promise<boolean> {
  try {
    await work.place.advance([...new Set(items.map(({ file }) => dateFolderOf(file.path)))], work.signal)
    return true
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code === 'SYNC_TARGET_NOT_ELSEWHERE') throw error
    failWith(work, error)
    return false
  }
}

/** Where nothing is deleted, readers must know what to leave out before they find what replaces it. */
function isAnnounced({ datePass: { date, ledger, local } }: UploadItem, recorder: string): boolean {
  const path = replacedListPath(date, recorder)
  const list = local.files.find(file => file.path === path)
  const record = ledger.get(path)
  return list !== undefined && isCurrent(list, record) && (record.state === 'shipped' || record.state === 'verified')
}

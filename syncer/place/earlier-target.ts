import type { LedgerStore } from '../ledger-store.js'
import type { FileRecord } from '../../formats/ledger.js'
import { listDates, readDate } from '../local-tree.js'
import { isCurrent } from '../plan.js'
import type { Target } from '../targets/target.js'
import { MARK_PREFIX } from './mark.js'
import type { TargetPlaceOptions } from './target-place.js'

/** Files that are here and were verified there, looked at to know a target again. */
const FILES_LOOKED_AT = 100

/**
 * A target that version 0.1.0 used: it marked folders by one file for all recorders, and knew what it reaches through rsync by
 * the address alone. A folder must have its mark; elsewhere some of the files must be there that were verified there and
 * are still here, if there are any.
 */
export function earlierTarget(
  dataDir: string,
  target: Target,
  ledgers: LedgerStore,
  signal: AbortSignal,
): TargetPlaceOptions['earlier'] {
  const { identity } = ledgers
  if (identity === undefined) return undefined
  const isHere = async () => {
    if (target.folder !== undefined) {
      const mark = { name: MARK_PREFIX, content: `${identity}\n` }
      return (await target.compareMarks([mark], signal)).get(MARK_PREFIX) === 'same'
    }
    const files = verifiedHere(dataDir, ledgers)
    if (files.length === 0) return true
    const { verdicts, error } = await target.verify(files, { dataDir, signal, onFile: () => undefined })
    if (error) throw error
    return [...verdicts.values()].includes('same')
  }
  return { identity, isHere }
}

function verifiedHere(dataDir: string, ledgers: LedgerStore): FileRecord[] {
  const found: FileRecord[] = []
  for (const [date, folders] of [...listDates(dataDir)].reverse()) {
    const ledger = ledgers.of(date)
    for (const file of readDate(dataDir, folders).files) {
      const record = ledger.get(file.path)
      if (isCurrent(file, record) && record.state === 'verified') found.push(record)
      if (found.length === FILES_LOOKED_AT) return found
    }
  }
  return found
}

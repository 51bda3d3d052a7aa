import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { listFolder } from '../../formats/partition-folders.js'
import { quarantineFiles } from '../../formats/quarantine-tree.js'
import { compactorState } from '../../formats/receipt.js'
import { fsyncFolder } from '../../platform/durable-file.js'

const STATE_OF_DATE = /^(?:done|superseded)-(\d{4}-\d\d-\d\d)\.jsonl$/
/** What is that young may be about to come here. */
const KEPT_MS = 3 * 86_400_000

/**
 * Removes receipts and notes on replaced files of dates of which nothing is here any more, neither raw nor tables nor
 * quarantine: whatever they spoke of was shipped, verified and deleted.
 * @param isHere whether there is raw of a date, or a table
 * @returns the dates
 */
export function dropPastState(dataDir: string, isHere: (date: string) => boolean, nowMs: number): string[] {
  const folder = compactorState(dataDir)
  const found = listFolder(dataDir, 'state/compactor').files.flatMap(file => {
    const date = STATE_OF_DATE.exec(file)?.[1]
    return date !== undefined && Date.parse(date) < nowMs - KEPT_MS && !isHere(date) ? [{ file, date }] : []
  })
  if (found.length === 0) return []
  const inQuarantine = new Set([...quarantineFiles(dataDir)].map(path => /\/date=([^/]+)\//.exec(path)?.[1]))
  const dropped = found.filter(({ date }) => !inQuarantine.has(date))
  for (const { file } of dropped) rmSync(join(folder, file), { force: true })
  if (dropped.length > 0) fsyncFolder(folder)
  return [...new Set(dropped.map(({ date }) => date))]
}

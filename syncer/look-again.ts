/**
 * What others ask of the syncer, which alone writes its ledgers while it is at work: `state/syncer/look-again.jsonl`, a line
 * for each file, `{"path":"raw/…","as":"doubted"}`. The next pass takes them.
 */
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import { syncerState, type FileRecord } from '../formats/ledger.js'
import { groupBy } from '../platform/group-by.js'
import { appendLinesDurable, readJsonLines } from '../platform/json-lines.js'
import type { PassWork } from './pass-work.js'
import { parseShippedName } from './shipped-name.js'

const askedSchema = z.object({
  path: z.string(),
  /** doubted: the copy is to be compared once more. unknown: what the ledger says of it is not true. */
  as: z.enum(['doubted', 'unknown']),
})

export type Asked = z.infer<typeof askedSchema>

const askedPath = (dataDir: string) => join(syncerState(dataDir), 'look-again.jsonl')

/** Durably; the next pass of the syncer compares these copies, and brings those that are not right again. */
export function askToLookAgain(dataDir: string, asked: readonly Asked[]): void {
  appendLinesDurable(askedPath(dataDir), asked)
}

/** Has the ledgers know no more of what was asked for than that it was brought. What is asked meanwhile waits for the next pass. */
export function takeAsked({ dataDir, ledgers, memory }: PassWork): void {
  const path = askedPath(dataDir)
  const taken = `${path}.taken`
  if (!existsSync(taken)) {
    if (!existsSync(path)) return
    renameSync(path, taken)
  }
  const asked = readJsonLines(taken, askedSchema)
  for (const [date, files] of groupBy(asked, ({ path }) => parseShippedName(path)?.date)) {
    if (date === undefined) continue
    const ledger = ledgers.of(date)
    const records = files.flatMap(({ path, as }): FileRecord[] => {
      const record = ledger.get(path)
      // What is there is found to be the same where it is, so that nothing is put aside for a wrong line here.
      if (record && as === 'unknown') return [{ ...record, mtimeMs: 0, state: 'missing' }]
      return record?.state === 'verified' ? [{ ...record, state: 'shipped', atMs: 0 }] : []
    })
    ledger.append(records)
    ledgers.settle(date, undefined)
    memory.dates.delete(date)
  }
  rmSync(taken)
}

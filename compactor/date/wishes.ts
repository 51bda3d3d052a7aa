/** Dates that others wish to be converted anew: `state/compactor/anew-<date>`, taken by the compactor, at work or at its next start. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { listFolder } from '../../formats/partition-folders.js'
import { compactorState } from '../../formats/receipt.js'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'

const pathOf = (dataDir: string, date: string) => join(compactorState(dataDir), `anew-${date}`)

/** Durably. */
export function wishAnew(dataDir: string, date: string): void {
  createFolderDurable(compactorState(dataDir))
  writeFileDurable(pathOf(dataDir, date), '')
}

export const wishedAnew = (dataDir: string): string[] =>
  listFolder(dataDir, 'state/compactor').files.flatMap(name => /^anew-(\d{4}-\d\d-\d\d)$/.exec(name)?.[1] ?? [])

/** It was done, or there is nothing to do it with. */
export function endWish(dataDir: string, date: string): void {
  rmSync(pathOf(dataDir, date), { force: true })
}

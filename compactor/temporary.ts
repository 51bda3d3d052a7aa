import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { compactorState } from '../formats/receipt.js'

/** Folder of everything that is not finished. */
export const temporaryFolder = (dataDir: string) => join(compactorState(dataDir), 'tmp')

/** An empty folder for what does not fit into memory. */
export function spillFolderOf(dataDir: string): string {
  const folder = join(temporaryFolder(dataDir), 'spill')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Throws away what a run that died left behind. */
export function clearTemporary(dataDir: string): void {
  rmSync(temporaryFolder(dataDir), { recursive: true, force: true })
  mkdirSync(temporaryFolder(dataDir), { recursive: true })
}

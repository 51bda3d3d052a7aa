import { lstatSync, readdirSync, utimesSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Dirent } from 'node:fs'
import { LedgerStore } from '../../syncer/ledger-store.js'
import type { FileRecord } from '../../formats/ledger.js'
import { readMemory } from '../../syncer/place/memory.js'

/** Writes the ledger that a syncer has when all of `dataDir` was verified, and sets the folders' times back to then. */
export function settleTree(dataDir: string, target: string): void {
  const byDate = new Map<string, FileRecord[]>()
  const entries = readdirSync(dataDir, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    const path = relative(dataDir, fullPath(entry))
    const date = /date=(\d{4}-\d\d-\d\d)/.exec(path)?.[1]
    if (!entry.isFile() || date === undefined) continue
    const { size, mtimeMs } = lstatSync(fullPath(entry))
    const checksums = { sha256: '0'.repeat(64), md5: '0'.repeat(32) }
    const record = {
      path,
      bytes: size,
      mtimeMs: Math.floor(mtimeMs),
      ...checksums,
      state: 'verified',
      atMs: 0,
    } as const
    byDate.set(date, [...(byDate.get(date) ?? []), record])
  }
  const ledgers = new LedgerStore(join(dataDir, 'state', 'syncer'), target)
  ledgers.meet(readMemory(dataDir, target)?.identity ?? '')
  for (const [date, records] of byDate) ledgers.of(date).append(records)
  const hourAgo = Date.now() / 1000 - 3600
  for (const entry of entries) if (entry.isDirectory()) utimesSync(fullPath(entry), hourAgo, hourAgo)
}

const fullPath = (entry: Dirent) => join(entry.parentPath, entry.name)

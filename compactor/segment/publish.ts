import { rmSync, statSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parquetPath } from '../../formats/parquet-path.js'
import { quarantinePath } from '../../formats/quarantine-tree.js'
import { parseSegmentPath, segmentDate } from '../../formats/raw-path.js'
import { appendReceipts, type Receipt } from '../../formats/receipt.js'
import { localDisk, type Disk } from '../../platform/disk.js'
import { createFolderDurable } from '../../platform/durable-file.js'
import { sha256Of } from '../../platform/sha256.js'
import type { Conversion } from './convert.js'
import { SCHEMA_VERSION } from '../tables.js'

/** The steps after which a power cut could show; a failing disk in tests. */
export interface PublishDisk extends Pick<Disk, 'makeFolder' | 'syncFolder'> {
  fsyncFile: (path: string) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  appendReceipts: typeof appendReceipts
}

export const realDisk: PublishDisk = {
  makeFolder: path => localDisk.makeFolder(path),
  syncFolder: path => localDisk.syncFolder(path),
  async fsyncFile(path) {
    const file = await open(path, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  },
  rename: (from, to) => rename(from, to),
  appendReceipts,
}

/**
 * Brings the files of a conversion under their final names and then writes the receipt. Files are durable before they
 * are renamed, and renamed durably before the receipt: whatever happens in between, the next run does it all again with
 * the same result. Outputs that an earlier receipt names and this conversion no longer has are removed last.
 */
export async function publish(
  dataDir: string,
  segment: { path: string; sha256: string; frames: number },
  conversion: Conversion,
  earlier: Receipt | undefined,
  disk: PublishDisk,
): Promise<Receipt> {
  const name = parseSegmentPath(segment.path)?.name
  if (!name) throw new TypeError(`${segment.path} is not the path of a segment`)
  const moves = conversion.parts.map(part => ({ ...part, path: parquetPath(name, part) }))
  const outputs = []
  for (const { temporary, path, rows } of moves) {
    await disk.fsyncFile(temporary)
    outputs.push({ path, rows, bytes: statSync(temporary).size, sha256: await sha256Of(temporary) })
  }
  const quarantine = quarantinePath(segment.path, name)
  const { quarantine: unconverted } = conversion
  if (unconverted !== undefined) await disk.fsyncFile(unconverted)
  for (const { temporary, path } of moves) await moveDurably(disk, dataDir, temporary, path)
  if (unconverted !== undefined) await moveDurably(disk, dataDir, unconverted, quarantine)

  const { rows, written, duplicates, quarantined, known } = conversion
  const receipt = {
    segment: segment.path,
    sha256: segment.sha256,
    outputs,
    rows,
    frames: segment.frames,
    written,
    duplicates,
    double_rows: conversion.duplicateRows,
    quarantined,
    known,
    schema_version: SCHEMA_VERSION,
  }
  disk.appendReceipts(dataDir, segmentDate(name), [receipt])
  const current = new Set(outputs.map(({ path }) => path))
  const outdated = earlier?.outputs.filter(({ path }) => !current.has(path)).map(({ path }) => path) ?? []
  for (const path of unconverted === undefined ? [...outdated, quarantine] : outdated) {
    rmSync(join(dataDir, path), { force: true })
  }
  return receipt
}

async function moveDurably(disk: PublishDisk, dataDir: string, temporary: string, path: string): Promise<void> {
  const target = join(dataDir, path)
  createFolderDurable(dirname(target), disk)
  await disk.rename(temporary, target)
  disk.syncFolder(dirname(target))
}

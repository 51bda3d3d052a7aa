import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fsyncFolder } from '../platform/durable-file.js'
import { parseSegmentPath, type SegmentName } from '../formats/raw-path.js'
import type { Conversion } from './convert.js'
import { hourlyName, parquetFolder } from '../formats/parquet-path.js'
import type { Part } from './parts.js'
import { appendReceipt, type Receipt } from '../formats/receipt.js'
import { SCHEMA_VERSION } from './tables.js'

/** The steps after which a power cut could show; a failing disk in tests. */
export interface PublishDisk {
  fsyncFile: (path: string) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  fsyncFolder: (path: string) => void
  appendReceipt: (dataDir: string, date: string, receipt: Receipt) => void
}

export const realDisk: PublishDisk = {
  async fsyncFile(path) {
    const file = await open(path, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  },
  rename,
  fsyncFolder,
  appendReceipt,
}

/** `20261122T140000Z-<host>-<run>-<n>`, the segment's own name. */
const baseName = (segment: string) => basename(segment, '.jsonl.zst')

/** The date of a segment and of all that comes of it. */
export const dateOf = (name: SegmentName) => new Date(name.startedMs).toISOString().slice(0, 10)

/** Where a part of a segment goes, below dataDir. Nothing in it was spelled by the exchange. */
export function parquetPath(name: SegmentName, part: Pick<Part, 'table' | 'partition'>): string {
  return `${parquetFolder(name.exchange, part.table, part.partition, dateOf(name))}/${hourlyName(name)}`
}

export function quarantinePath(segment: string, name: SegmentName): string {
  return `quarantine/exchange=${name.exchange}/channel=${name.channel}/date=${dateOf(name)}/${baseName(segment)}.jsonl`
}

const PIECE_BYTES = 256 * 1024

/** The hash of a file, hex, read in pieces; into one buffer, since those of a stream pile up until they are collected. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(PIECE_BYTES)
  const file = await open(path)
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES)
      if (bytesRead === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, bytesRead))
    }
  } finally {
    await file.close()
  }
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

  const { rows, tabled, doubles, quarantined, known } = conversion
  const receipt = {
    segment: segment.path,
    sha256: segment.sha256,
    outputs,
    rows,
    frames: segment.frames,
    tabled,
    doubles,
    double_rows: conversion.doubleRows,
    quarantined,
    known,
    schema_version: SCHEMA_VERSION,
  }
  disk.appendReceipt(dataDir, dateOf(name), receipt)
  const current = new Set(outputs.map(({ path }) => path))
  const outdated = earlier?.outputs.filter(({ path }) => !current.has(path)).map(({ path }) => path) ?? []
  for (const path of unconverted === undefined ? [...outdated, quarantine] : outdated) {
    rmSync(join(dataDir, path), { force: true })
  }
  return receipt
}

async function moveDurably(disk: PublishDisk, dataDir: string, temporary: string, path: string): Promise<void> {
  const target = join(dataDir, path)
  makeFolderDurable(disk, dirname(target))
  await disk.rename(temporary, target)
  disk.fsyncFolder(dirname(target))
}

/** Creates a folder and those above it, each durable in its parent. */
function makeFolderDurable(disk: PublishDisk, folder: string): void {
  if (existsSync(folder)) return
  makeFolderDurable(disk, dirname(folder))
  mkdirSync(folder, { recursive: true })
  disk.fsyncFolder(dirname(folder))
}

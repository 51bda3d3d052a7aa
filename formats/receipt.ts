import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hasErrno } from '../platform/edge-error.js'
import { appendLinesDurable } from '../platform/json-lines.js'

export const receiptSchema = z.object({
  /** Path of the sealed segment below dataDir. */
  segment: z.string(),
  /** Of the sealed segment. */
  sha256: z.string(),
  outputs: z.array(z.object({ path: z.string(), rows: z.int(), bytes: z.int(), sha256: z.string() })),
  rows: z.int(),
  /** Lines of the segment: `tabled + doubles + quarantined + known`. */
  frames: z.int(),
  tabled: z.int(),
  /** Frames whose events are all tabled by other segments, or twice in this one. */
  doubles: z.int().default(0),
  /** Rows that were left out for that reason, those of frames with other rows included. */
  double_rows: z.int().default(0),
  quarantined: z.int(),
  known: z.int(),
  /** Of the tables in the outputs. */
  schema_version: z.int().default(1),
})

/** Says that all outputs of a segment are durable under their final names. */
export type Receipt = z.infer<typeof receiptSchema>

export const receiptsFolder = (dataDir: string) => join(dataDir, 'state', 'compactor')

/** Appends a receipt to the file of its segment's date; afterwards it is durable. */
export function appendReceipt(dataDir: string, date: string, receipt: Receipt): void {
  appendReceipts(dataDir, date, [receipt])
}

/** The same for several. */
export function appendReceipts(dataDir: string, date: string, receipts: readonly Receipt[]): void {
  appendLinesDurable(join(receiptsFolder(dataDir), `done-${date}.jsonl`), receipts)
}

/** The last receipt of every segment, by its path. Lines that are none (torn by a crash) are passed over. */
export function readReceipts(dataDir: string): Map<string, Receipt> {
  return readFiles(receiptFiles(receiptsFolder(dataDir)))
}

/** The same for one date. */
export function readReceiptsOf(dataDir: string, date: string): Map<string, Receipt> {
  const wanted = `done-${date}.jsonl`
  return readFiles(receiptFiles(receiptsFolder(dataDir)).filter(path => path.endsWith(wanted)))
}

function readFiles(paths: readonly string[]): Map<string, Receipt> {
  const receipts = new Map<string, Receipt>()
  for (const path of paths) {
    for (const line of readFileSync(path, 'utf8').split('\n')) {
      const receipt = receiptOf(line)
      if (receipt) receipts.set(receipt.segment, receipt)
    }
  }
  return receipts
}

function receiptFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter(name => /^done-\d{4}-\d\d-\d\d\.jsonl$/.test(name))
    return names.sort().map(name => join(folder, name))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

function receiptOf(line: string): Receipt | undefined {
  if (line === '') return undefined
  try {
    return receiptSchema.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

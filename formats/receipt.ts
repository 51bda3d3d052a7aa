/**
 * The compactor's word that a segment is finished, and what came of it: `state/compactor/done-<date>.jsonl`, a line for
 * each segment of that date, appended when all of its outputs are durable under their final names:
 * `{"segment":"raw/…","sha256":"…","outputs":[{"path":"parquet/…","rows":…,"bytes":…,"sha256":"…"}],"rows":…,"frames":…,…}`.
 * Of several lines on a segment the last counts.
 */
import { join } from 'node:path'
import type { z } from 'zod'
import { lateSchema, type Zod } from '../platform/late-schema.js'
import { appendLinesDurable, parseJsonLines, readJsonLines } from '../platform/json-lines.js'
import { listFolder } from './partition-folders.js'

const fieldsBy = (z: Zod) => {
  const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
  return z.object({
    /** Path of the sealed segment below dataDir. */
    segment: z.string(),
    /** Of the sealed segment. */
    sha256,
    outputs: z.array(z.object({ path: z.string(), rows: z.int(), bytes: z.int(), sha256 })),
    rows: z.int(),
    /** Lines of the segment: `written + duplicates + quarantined + known`. */
    frames: z.int(),
    /** Frames that have rows. */
    written: z.int(),
    /** Frames whose events all have rows from other segments, or come twice in this one. */
    duplicates: z.int().default(0),
    /** Rows that were left out for that reason, those of frames with other rows included. */
    double_rows: z.int().default(0),
    quarantined: z.int(),
    known: z.int(),
    /** Of the tables in the outputs. */
    schema_version: z.int().default(1),
  })
}

/** Receipts of 0.1.0 say `tabled` and `doubles`. */
export const receiptSchema = lateSchema(z =>
  z.preprocess(
    line =>
      typeof line === 'object' && line !== null && 'tabled' in line
        ? { written: line.tabled, duplicates: 'doubles' in line ? line.doubles : 0, ...line }
        : line,
    fieldsBy(z),
  ),
)

/** Says that all outputs of a segment are durable under their final names. */
export type Receipt = z.infer<ReturnType<typeof receiptSchema>>

/** Receipts by the path of their segment. */
export type Receipts = Map<string, Receipt>

/** Where the compactor keeps what it must know; can be lost. */
export const compactorState = (dataDir: string) => join(dataDir, 'state', 'compactor')

const receiptsPath = (dataDir: string, date: string) => join(compactorState(dataDir), `done-${date}.jsonl`)

/** Appends receipts to the file of their segments' date; afterwards they are durable. */
export function appendReceipts(dataDir: string, date: string, receipts: readonly Receipt[]): void {
  appendLinesDurable(receiptsPath(dataDir, date), receipts)
}

/** All that was ever said of the segments of one date, in order; nothing where the compactor has not been there. */
export function readReceiptLines(dataDir: string, date: string): Receipt[] {
  return readJsonLines(receiptsPath(dataDir, date), receiptSchema())
}

/** The same from the text of a file. A line that is no receipt, such as a torn last one, does not count. */
export const parseReceiptLines = (text: string): Receipt[] => parseJsonLines(text, receiptSchema())

/** The receipts of one date. */
export function readReceiptsOf(dataDir: string, date: string): Receipts {
  return lastOfEach(readReceiptLines(dataDir, date))
}

/** All of them. */
export function readReceipts(dataDir: string): Receipts {
  return lastOfEach(datesWithReceipts(dataDir).flatMap(date => [...readReceiptsOf(dataDir, date).values()]))
}

/** The last word on each segment. */
export function lastOfEach(receipts: readonly Receipt[]): Receipts {
  return new Map(receipts.map(receipt => [receipt.segment, receipt]))
}

/** Dates of which it has been said anything. */
export const datesWithReceipts = (dataDir: string) =>
  listFolder(dataDir, 'state/compactor').files.flatMap(name => /^done-(\d{4}-\d\d-\d\d)\.jsonl$/.exec(name)?.[1] ?? [])

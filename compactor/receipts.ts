import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fsyncFolder, writeFully } from '../platform/durable-file.js'
import { hasErrno } from '../platform/edge-error.js'

const receiptSchema = z.object({
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
})

/** Says that all outputs of a segment are durable under their final names. */
export type Receipt = z.infer<typeof receiptSchema>

export const receiptsFolder = (dataDir: string) => join(dataDir, 'state', 'compactor')

/** Appends a receipt to the file of its segment's date; afterwards it is durable. */
export function appendReceipt(dataDir: string, date: string, receipt: Receipt): void {
  const folder = receiptsFolder(dataDir)
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `done-${date}.jsonl`)
  // A line torn by a crash ends here, so that it cannot swallow this one.
  const torn = endsTorn(path)
  const fd = openSync(path, 'a', 0o644)
  try {
    writeFully(fd, Buffer.from(`${torn ? '\n' : ''}${JSON.stringify(receipt)}\n`))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  fsyncFolder(folder)
}

function endsTorn(path: string): boolean {
  try {
    const text = readFileSync(path)
    return text.length > 0 && text.at(-1) !== 0x0a
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false
    throw error
  }
}

/** The last receipt of every segment, by its path. Lines that are none (torn by a crash) are passed over. */
export function readReceipts(dataDir: string): Map<string, Receipt> {
  const receipts = new Map<string, Receipt>()
  for (const file of receiptFiles(receiptsFolder(dataDir))) {
    for (const line of readFileSync(file, 'utf8').split('\n')) {
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

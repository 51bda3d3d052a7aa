import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { hasErrno } from '../platform/edge-error.js'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const receiptSchema = z.object({
  segment: z.string(),
  sha256,
  outputs: z.array(z.object({ path: z.string(), bytes: z.int(), sha256 })),
})

/** The compactor's word that a segment is finished, and what came of it. */
export type Receipt = z.infer<typeof receiptSchema>

/** The receipts of one date, by segment and by output. */
export interface Receipts {
  bySegment: ReadonlyMap<string, Receipt>
  /** Output path → the output and the segments whose rows are in it. */
  byOutput: ReadonlyMap<string, { sha256: string; segments: readonly string[] }>
  /** Output path → all contents it ever had, those that are replaced by now, too. */
  made: ReadonlyMap<string, ReadonlySet<string>>
}

/** Reads the receipts of one date; none where the compactor has not been there. Later lines replace earlier ones. */
export function readReceipts(dataDir: string, date: string): Receipts {
  try {
    return parseReceipts(readFileSync(join(dataDir, 'state', 'compactor', `done-${date}.jsonl`), 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return parseReceipts('')
    throw error
  }
}

/** The same from text. A line that is no receipt, such as a torn last one, does not count. */
export function parseReceipts(text: string): Receipts {
  const bySegment = new Map<string, Receipt>()
  const made = new Map<string, Set<string>>()
  for (const line of text.split('\n')) {
    const receipt = parseReceipt(line)
    if (!receipt) continue
    bySegment.set(receipt.segment, receipt)
    for (const { path, sha256 } of receipt.outputs) made.set(path, (made.get(path) ?? new Set()).add(sha256))
  }
  const byOutput = new Map<string, { sha256: string; segments: string[] }>()
  for (const { segment, outputs } of bySegment.values()) {
    for (const { path, sha256 } of outputs) {
      const others = byOutput.get(path)?.segments ?? []
      byOutput.set(path, { sha256, segments: [...others, segment] })
    }
  }
  return { bySegment, byOutput, made }
}

function parseReceipt(line: string): Receipt | undefined {
  if (line === '') return undefined
  try {
    return receiptSchema.safeParse(JSON.parse(line)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

import { lastOfEach, readReceiptLines, type Receipt } from '../formats/receipt.js'

/** The receipts of one date, by segment and by output. */
export interface Receipts {
  bySegment: ReadonlyMap<string, Receipt>
  /** Output path → the output and the segments whose rows are in it. */
  byOutput: ReadonlyMap<string, { sha256: string; segments: readonly string[] }>
  /** Output path → all contents it ever had, those that are replaced by now, too. */
  made: ReadonlyMap<string, ReadonlySet<string>>
}

export const readReceipts = (dataDir: string, date: string) => indexReceipts(readReceiptLines(dataDir, date))

/** @param lines in the order in which they were written */
export function indexReceipts(lines: readonly Receipt[]): Receipts {
  const bySegment = lastOfEach(lines)
  const made = new Map<string, Set<string>>()
  for (const { path, sha256 } of lines.flatMap(({ outputs }) => outputs)) {
    made.set(path, (made.get(path) ?? new Set()).add(sha256))
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

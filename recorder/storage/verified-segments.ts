import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Disk } from '../../platform/disk.js'
import { hasErrno } from '../../platform/edge-error.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'

/** A line of the syncer's ledger, as far as it matters here. */
const recordSchema = z.object({
  path: z.string(),
  bytes: z.number(),
  mtimeMs: z.number(),
  sha256: z.string(),
  state: z.string(),
})
/** A line of the compactor's receipts. */
const receiptSchema = z.object({
  segment: z.string(),
  sha256: z.string(),
  outputs: z.array(z.object({ path: z.string(), sha256: z.string() })),
})

type LedgerRecord = z.infer<typeof recordSchema>
type Receipt = z.infer<typeof receiptSchema>

/** What is known of the files of one date: one ledger for each target that was ever used. */
interface DateKnowledge {
  ledgers: Map<string, LedgerRecord>[]
  receipts: Map<string, Receipt>
}

const DATE_FILE = /^(\d{4}-\d\d-\d\d)\.jsonl$/

/**
 * Deletes sealed segments and their manifests, the oldest first, until `bytes` are free: only those that the syncer's
 * ledgers call verified as they are now, and of which the compactor's receipt names outputs that are verified, too.
 * Returns what is gone, durably.
 */
export function removeVerifiedSegments(disk: Disk, dataDir: string, bytes: number): { files: string[]; bytes: number } {
  const gone = { files: [] as string[], bytes: 0 }
  const folders = new Set<string>()
  try {
    for (const [path, size] of verifiedSegments(dataDir)) {
      if (gone.bytes >= bytes) break
      disk.remove(join(dataDir, path))
      gone.files.push(path)
      gone.bytes += size
      folders.add(dirname(path))
    }
  } finally {
    for (const folder of folders) disk.syncFolder(join(dataDir, folder))
  }
  return gone
}

/** Paths and sizes in the order of deletion: by date, then by name; a segment before its manifest. */
function* verifiedSegments(dataDir: string): Generator<[path: string, bytes: number]> {
  const folders = ledgerFolders(dataDir)
  const dates = new Set(folders.flatMap(folder => datesIn(folder)))
  for (const date of [...dates].sort()) {
    const known: DateKnowledge = {
      ledgers: folders.map(folder => byKey(readLines(join(folder, `${date}.jsonl`), recordSchema), ({ path }) => path)),
      receipts: byKey(
        readLines(join(dataDir, 'state/compactor', `done-${date}.jsonl`), receiptSchema),
        ({ segment }) => segment,
      ),
    }
    const paths = [...known.receipts.keys()].filter(path => parseSegmentPath(path)?.state === 'sealed')
    for (const path of paths.sort(byStart)) {
      const manifest = withState(path, 'manifest')
      const sizes = [sizeIfVerified(dataDir, path, known), sizeIfVerified(dataDir, manifest, known)]
      const [segmentBytes, manifestBytes] = sizes
      if (segmentBytes === undefined || manifestBytes === undefined || !outputsAreVerified(dataDir, path, known))
        continue
      yield [path, segmentBytes]
      yield [manifest, manifestBytes]
    }
  }
}

const byStart = (one: string, other: string) =>
  (parseSegmentPath(one)?.name.startedMs ?? 0) - (parseSegmentPath(other)?.name.startedMs ?? 0) ||
  (one < other ? -1 : 1)

/** The size of a file here that every ledger calls verified, unchanged since. */
function sizeIfVerified(dataDir: string, path: string, { ledgers }: DateKnowledge): number | undefined {
  const file = lstatSync(join(dataDir, path), { throwIfNoEntry: false })
  if (!file?.isFile() || ledgers.length === 0) return undefined
  const isCurrent = (record: LedgerRecord | undefined) =>
    record?.state === 'verified' && record.bytes === file.size && record.mtimeMs === Math.floor(file.mtimeMs)
  return ledgers.every(ledger => isCurrent(ledger.get(path))) ? file.size : undefined
}

/** The receipt speaks of this very segment, and all that was made from it is verified, here still or not. */
function outputsAreVerified(dataDir: string, path: string, known: DateKnowledge): boolean {
  const receipt = known.receipts.get(path)
  if (!receipt || !known.ledgers.every(ledger => ledger.get(path)?.sha256 === receipt.sha256)) return false
  return receipt.outputs.every(output => {
    const isSame = known.ledgers.every(ledger => {
      const record = ledger.get(output.path)
      return record?.state === 'verified' && record.sha256 === output.sha256
    })
    return (
      isSame && (!existsSync(join(dataDir, output.path)) || sizeIfVerified(dataDir, output.path, known) !== undefined)
    )
  })
}

/** One for each target that was ever used: where there are several, all must agree. */
function ledgerFolders(dataDir: string): string[] {
  const state = join(dataDir, 'state/syncer')
  return namesIn(state)
    .filter(name => name.startsWith('ledger-'))
    .map(name => join(state, name))
}

function datesIn(folder: string): string[] {
  return namesIn(folder).flatMap(name => DATE_FILE.exec(name)?.[1] ?? [])
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The lines that fit; one that does not, such as a torn last one, does not count. */
function readLines<T>(file: string, schema: z.ZodType<T>): T[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap(line => parseLine(line, schema))
}

function parseLine<T>(line: string, schema: z.ZodType<T>): T[] {
  if (line === '') return []
  try {
    const result = schema.safeParse(JSON.parse(line))
    return result.success ? [result.data] : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}

/** The last line about a key counts. */
function byKey<T>(items: T[], keyOf: (item: T) => string): Map<string, T> {
  return new Map(items.map(item => [keyOf(item), item]))
}

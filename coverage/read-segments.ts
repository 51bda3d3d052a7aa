import { relative, resolve } from 'node:path'
import { EdgeError } from '../platform/edge-error.js'
import { manifestOf, segmentFiles } from '../formats/segment-files.js'
import type { JournalEntry } from '../formats/journal/entry.js'
import { parquetFiles } from '../formats/parquet-tree.js'
import { readReceiptsOf, type Receipt } from '../formats/receipt.js'
import { withState, type SegmentName } from '../formats/raw-path.js'
import { FAMILIES, tableOfFamily } from './channel-target.js'
import type { SegmentFacts } from './facts.js'
import type { Interval } from './intervals.js'
import type { Span } from '../platform/spans.js'

/** What the manifests of a span say, where raw segments still are. `ends`: when each run was last heard of, as entries. */
export function readSegments(root: string, window: Span): SegmentFacts & { ends: JournalEntry[] } {
  const facts = { frames: new Map<string, number>(), intervals: [] as Interval[], ends: [] as JournalEntry[] }
  const tabled = new TabledSegments(root)
  for (const { path, name } of segmentsOf(root, window)) {
    const manifest = manifestOf(path)
    if (!manifest || manifest.frames === 0) continue
    const { exchange, host, run, channel, first_recv_us: fromUs, last_recv_us: toUs } = manifest
    facts.ends.push({ exchange, host, run, recvUs: toUs, event: 'heard', detail: {} })
    if (toUs < window.fromUs || fromUs >= window.toUs) continue
    facts.frames.set(channel, (facts.frames.get(channel) ?? 0) + manifest.frames)
    if (!FAMILIES.includes(channel) || tabled.has(path, name)) continue
    facts.intervals.push({
      gap: 'not_converted',
      fromUs,
      toUs,
      host,
      conn: undefined,
      cause: 'recorded, and not in Parquet yet',
      families: [channel],
      channels: undefined,
      instrument: undefined,
      filled: false,
      count: manifest.frames,
    })
  }
  return facts
}

function* segmentsOf(root: string, window: Span) {
  try {
    yield* segmentFiles(root, { ...window, mayHold: () => true })
  } catch (error) {
    // A copy without raw files, or one whose raw files were deleted.
    if (!(error instanceof EdgeError) || error.code !== 'READ_NO_RAW') throw error
  }
}

/** Which segments were converted: by the compactor's receipts where they are, else by the names of files. */
class TabledSegments {
  readonly #root: string
  /** By table: `<host>-<run>-<n>` of hourly files, `<date> <host>` of days. */
  readonly #names = new Map<string, Set<string>>()
  readonly #receipts = new Map<string, ReadonlyMap<string, Receipt>>()

  constructor(root: string) {
    this.#root = root
  }

  has(path: string, { channel, host, run, number, startedMs }: SegmentName): boolean {
    const date = new Date(startedMs).toISOString().slice(0, 10)
    const names = this.#namesOf(tableOfFamily(channel))
    if (names.has(`${host}-${run}-${number}`) || names.has(`${date} ${host}`)) return true
    // One whose rows are all in other files has none of its own.
    return this.#receiptsOf(date).has(withState(relative(resolve(this.#root), path), 'sealed'))
  }

  #receiptsOf(date: string): ReadonlyMap<string, Receipt> {
    const known = this.#receipts.get(date)
    if (known) return known
    const receipts = readReceiptsOf(this.#root, date)
    this.#receipts.set(date, receipts)
    return receipts
  }

  #namesOf(table: string): Set<string> {
    const found = this.#names.get(table)
    if (found) return found
    const names = new Set<string>()
    this.#names.set(table, names)
    for (const { name, folder } of parquetFiles(this.#root, { table }))
      names.add(name.run === undefined ? `${folder.date} ${name.host}` : `${name.host}-${name.run}-${name.number}`)
    return names
  }
}

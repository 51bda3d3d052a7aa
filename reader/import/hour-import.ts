import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Exchange } from '../../exchanges/exchange.js'
import type { ManifestGap } from '../../formats/manifest.js'
import { quarantinePath } from '../../formats/quarantine-tree.js'
import { segmentPath } from '../../formats/raw-path.js'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'
import type { LostSpan, JournalLine } from './import-journal.js'
import { ReceiptsOfDates, runOf, StagedSegment } from './staged-segment.js'

const HOUR_US = 3_600_000_000
/** A segment ends when its lines are so large, uncompressed; whoever reads it needs no more memory than for any. */
const SEGMENT_RAW_BYTES_MAX = 1024 * 1024 * 1024
/** Broken lines that wait to be written. */
const BROKEN_BYTES_MAX = 4 * 1024 * 1024

interface Place {
  dataDir: string
  staging: string
  exchange: Exchange
  exchangeName: string
  conn: string
  /** The recorder's name in paths. */
  host: string
  /** Of frames that name no channel. */
  family: string | undefined
}

/** A line that cannot be taken, and where it stands. */
export interface BrokenLine {
  line: Buffer
  reason: string
  nearUs: number | undefined
  source: string
  /** Of the decompressed file, in bytes. */
  offset: number
}

type KeptLine = ReturnType<typeof usableText> & Pick<BrokenLine, 'reason' | 'source' | 'offset'>

/** The hour at hand of an import: its frames by family, and what of its lines is broken. */
export class HourImport {
  readonly counts = { segments: 0, known: 0, broken: { lines: 0, reasons: {} as Record<string, number> } }
  readonly #place: Place
  readonly #receipts: ReceiptsOfDates
  readonly #segments = new Map<string, StagedSegment>()
  readonly #familyOf: (channel: string | undefined) => string
  /** Of channels seen. */
  readonly #families = new Map<string, string>()
  #fromUs = -Infinity
  #gaps: ManifestGap[] = []
  #full: StagedSegment[] = []
  #broken: KeptLine[] = []
  #brokenBytes = 0
  #brokenUs: number | undefined

  constructor(place: Place) {
    this.#place = place
    this.#receipts = new ReceiptsOfDates(place.dataDir)
    const own = place.exchange.families.find(({ comes }) => comes === 'own')?.name ?? 'other'
    const { names } = place.exchange
    this.#familyOf = channel => (channel === undefined ? (place.family ?? own) : names.familyOfChannel(channel))
  }

  /** Whether a time is in the hour at hand. */
  covers(recvUs: number): boolean {
    return recvUs >= this.#fromUs && recvUs < this.#fromUs + HOUR_US
  }

  begin(recvUs: number): void {
    this.#fromUs = recvUs - (recvUs % HOUR_US)
  }

  add(recvUs: number, frame: Buffer): { family: string; channel: string | undefined } {
    const { exchange, conn, family: given = '' } = this.#place
    if (this.#broken.length > 0) this.#brokenUs ??= recvUs
    const channel = exchange.frames.channelOf(frame, given)
    const key = channel ?? ''
    let family = this.#families.get(key)
    if (family === undefined) this.#families.set(key, (family = this.#familyOf(channel)))
    this.#segmentOf(family, recvUs).add(recvUs, conn, frame)
    return { family, channel }
  }

  /** A span without a connection ended in this hour. */
  lost({ fromUs, toUs, cause }: LostSpan): void {
    this.#gaps.push({ from_us: fromUs, to_us: toUs, conn: this.#place.conn, cause })
  }

  /**
   * Keeps a line that cannot be taken.
   * @param nearUs when it was received, as far as is known: the time of the line before; else the next one's counts
   */
  quarantine({ line, reason, nearUs, ...place }: BrokenLine): void {
    const { broken } = this.counts
    broken.lines++
    broken.reasons[reason] = (broken.reasons[reason] ?? 0) + 1
    this.#brokenUs ??= nearUs
    this.#broken.push({ reason, ...usableText(line), ...place })
    this.#brokenBytes += line.length
    if (this.#brokenBytes > BROKEN_BYTES_MAX) this.#writeBroken()
  }

  /** All of the hour is in the tree afterwards, durably, and what the journal says of it. */
  async finish(journal: readonly JournalLine[]): Promise<void> {
    for (const { recvUs, frame } of journal) this.#segmentOf(JOURNAL, recvUs).add(recvUs, JOURNAL, frame)
    for (const segment of [...this.#full, ...this.#segments.values()]) await this.#publish(segment)
    this.#full = []
    this.#segments.clear()
    this.#gaps = []
    this.#fromUs = -Infinity
    this.#writeBroken()
  }

  #segmentOf(family: string, recvUs: number): StagedSegment {
    const { staging, exchangeName, host } = this.#place
    let segment = this.#segments.get(family)
    if (segment && segment.rawBytes > SEGMENT_RAW_BYTES_MAX) {
      this.#full.push(segment)
      segment = undefined
    }
    if (!segment) {
      const place = { exchange: exchangeName, channel: family, host }
      segment = new StagedSegment(join(staging, String(this.#full.length)), place, recvUs)
      this.#segments.set(family, segment)
    }
    return segment
  }

  async #publish(segment: StagedSegment): Promise<void> {
    const { wasThere } = await segment.publish(
      this.#place.dataDir,
      segment.family === JOURNAL ? [] : this.#gaps,
      this.#receipts,
    )
    if (wasThere) this.counts.known++
    else this.counts.segments++
  }

  #writeBroken(): void {
    if (this.#broken.length === 0) return
    const { dataDir, exchangeName, host } = this.#place
    const startedMs = Math.floor((this.#brokenUs ?? Date.now() * 1000) / 1_000_000) * 1000
    const digest = createHash('sha256')
    for (const { raw, reason } of this.#broken) digest.update(`${reason}\n${raw}\n`)
    const run = runOf(startedMs, digest.digest('hex'))
    const name = { exchange: exchangeName, channel: 'other', startedMs, host, run, number: 1 }
    const segment = segmentPath(name, 'sealed')
    const path = join(dataDir, quarantinePath(segment, name))
    const lines = this.#broken.map(line => `${JSON.stringify({ segment, ...line })}\n`)
    this.#broken = []
    this.#brokenBytes = 0
    this.#brokenUs = undefined
    if (existsSync(path)) return
    createFolderDurable(dirname(path))
    writeFileDurable(path, lines.join(''))
  }
}

/** As text where it is one, and its bytes where they are not UTF-8. */
function usableText(line: Buffer): { raw: string; raw_base64?: string } {
  const raw = line.toString('utf8')
  return Buffer.from(raw).equals(line) ? { raw } : { raw, raw_base64: line.toString('base64') }
}

const JOURNAL = 'journal'

import type { Findings } from '../findings.js'
import { mayGoBack, readDeclared, type Declared } from './declared.js'
import type { SegmentFile } from './find-segments.js'
import { missingSegments, unreadable, type MissingSegments } from './missing-segments.js'
import { proveSegment, type SeenLine } from './segment-proof.js'
import { SeqHoles } from './seq-holes.js'
import { SeqLedger, type LedgerVisitor } from './seq-ledger.js'
import { timeText } from '../../../platform/moment.js'

/** All segments of one run of a recorder, in the order in which they were begun. */
export interface Run {
  host: string
  run: string
  segments: SegmentFile[]
}

export interface RunProofOptions {
  root: string
  findings: Findings
  /** All families of the run are looked at; without them no hole in `seq` can be seen. */
  isWhole: boolean
  /** Later segments of this run may be elsewhere: it is the newest on a copy. */
  mayFollow: boolean
  /** When the files were listed, µs since the epoch. */
  listedUs: number
  onBytes: (bytes: number) => void
}

/** What a run came to. */
export interface RunTotals {
  segments: number
  openSegments: number
  frames: number
  bytesRaw: number
  connections: number
}

/** No line of a segment is stamped so much before the segment's name. */
const SETTLE_BEHIND_US = 60_000_000

/**
 * Proves the segments of one run, one after the other, and across them: `seq` of each connection without holes over all
 * families, receive times that never go back. Memory: a bit a frame for one span of rotation, whatever the run's length.
 */
export class RunProof {
  readonly #run: Run
  readonly #options: RunProofOptions
  readonly #ledgers = new Map<string, SeqLedger>()
  /** Of each family, the last line of each connection. */
  readonly #lastLines = new Map<string, Map<string, SeenLine>>()
  readonly #holes: SeqHoles
  readonly #missing: MissingSegments[]
  readonly #declared: Declared
  #lastUs = 0
  #totals: RunTotals = { segments: 0, openSegments: 0, frames: 0, bytesRaw: 0, connections: 0 }

  constructor(run: Run, options: RunProofOptions) {
    this.#run = run
    this.#options = options
    const { root, findings, mayFollow } = options
    const declared = readDeclared(root, run.segments)
    this.#declared = declared
    this.#missing = missingSegments(run.segments, declared, mayFollow && !declared.stopped)
    this.#holes = new SeqHoles({ declared, missing: this.#missing, findings, label: this.#label() })
  }

  async prove(): Promise<RunTotals> {
    const proven: SegmentFile[] = []
    for (const listed of this.#run.segments) {
      this.#settle(listed.name.startedMs * 1000 - SETTLE_BEHIND_US)
      const lastLines = this.#lastLinesOf(listed.name.channel)
      const { root, findings, onBytes } = this.#options
      const onLine = (line: SeenLine) => this.#take(line, lastLines)
      const found = await proveSegment(listed, { root, findings, onBytes, onLine })
      if (!found) continue
      const { segment, truth } = found
      proven.push(segment)
      this.#totals.segments++
      if (segment.isOpen) this.#totals.openSegments++
      this.#totals.frames += truth.frames
      this.#totals.bytesRaw += truth.bytesRaw
      this.#checkName(segment, truth.firstLineUs)
      if (!truth.isReadable) this.#missing.push(unreadable(segment, this.#declared.slotUs))
    }
    this.#settle(Infinity)
    if (this.#options.isWhole) {
      const endUs = Math.min(this.#lastUs, this.#options.listedUs)
      this.#holes.report(this.#options.root, proven, endUs)
      this.#reportOverflow()
    }
    return { ...this.#totals, connections: this.#ledgers.size }
  }

  #lastLinesOf(family: string): Map<string, SeenLine> {
    const known = this.#lastLines.get(family) ?? new Map<string, SeenLine>()
    this.#lastLines.set(family, known)
    return known
  }

  #take(line: SeenLine, lastLines: Map<string, SeenLine>): void {
    const { path, conn, seq, recvUs } = line
    if (recvUs > this.#lastUs) this.#lastUs = recvUs
    const before = lastLines.get(conn)
    lastLines.set(conn, line)
    if (before && seq <= before.seq) this.#fault('SEQ_ORDER', line, `seq ${seq} of ${conn} follows ${before.seq}`)
    if (before && recvUs < before.recvUs && !mayGoBack(conn, before.recvUs, recvUs, this.#declared)) {
      const message = `recv_us ${recvUs} of ${conn} is ${before.recvUs - recvUs} µs before that of the line before`
      this.#fault('RECV_BACK', line, message)
    }
    let ledger = this.#ledgers.get(conn)
    if (!ledger) this.#ledgers.set(conn, (ledger = new SeqLedger(conn)))
    if (!this.#options.isWhole || ledger.note(seq, recvUs)) return
    this.#options.findings.add({
      weight: 'fault',
      code: 'SEQ_TWICE',
      path,
      line: line.line,
      message: `seq ${seq} of ${conn} was there before`,
    })
  }

  #fault(code: string, { path, line }: Pick<SeenLine, 'path' | 'line'>, message: string): void {
    this.#options.findings.add({ weight: 'fault', code, path, line, message })
  }

  /** A segment is named for the second of its first line. */
  #checkName({ path, name }: SegmentFile, firstLineUs: number | undefined): void {
    if (firstLineUs === undefined || Math.floor(firstLineUs / 1_000_000) * 1000 === name.startedMs) return
    const message = `its name says ${timeText(name.startedMs * 1000)}, its first line ${timeText(firstLineUs)}`
    this.#options.findings.add({ weight: 'fault', code: 'NAME_TIME', path, line: 1, message })
  }

  #settle(beforeUs: number): void {
    const visitor: LedgerVisitor = {
      hole: hole => this.#holes.take(hole),
      turn: ({ conn, seq, fromUs, toUs }) => {
        if (mayGoBack(conn, fromUs, toUs, this.#declared)) return
        const backUs = fromUs - toUs
        const message = `receive times of ${conn} go back by ${backUs} µs near seq ${seq}, from one family to another`
        this.#options.findings.add({ weight: 'fault', code: 'RECV_BACK', path: this.#label(), message })
      },
    }
    for (const ledger of this.#ledgers.values()) ledger.settle(beforeUs, visitor)
  }

  #reportOverflow(): void {
    for (const [conn, { overflowed }] of this.#ledgers) {
      if (!overflowed) continue
      const message = `so much of ${conn} is not here that holes in seq were not looked for`
      this.#options.findings.add({ weight: 'unproven', code: 'SEQ_TOO_MUCH_MISSING', path: this.#label(), message })
    }
  }

  #label(): string {
    return `run ${this.#run.run} of ${this.#run.host}`
  }
}

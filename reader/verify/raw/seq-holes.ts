import { join } from 'node:path'
import { parseLineHead } from '../../../formats/raw-line.js'
import { decodedLines } from '../../../formats/decode-segment.js'
import type { Findings } from '../findings.js'
import type { Span } from '../../../platform/spans.js'
import type { Declared } from './declared.js'
import type { SegmentFile } from './find-segments.js'
import { numbersText, type MissingSegments } from './missing-segments.js'
import type { SeenLine } from './segment-proof.js'
import type { SeqHole } from './seq-ledger.js'
import { timeText } from '../../../platform/moment.js'

export interface SeqHolesOptions {
  declared: Declared
  missing: readonly MissingSegments[]
  findings: Findings
  /** Names the run where there is no line to name. */
  label: string
}

/** Holes that one thing explains. */
interface Excused {
  code: string
  weight: 'unproven' | 'note'
  reason: string
  holes: number
  frames: number
}

/** Holes of which the lines beside are looked up. */
const LOCATED_MAX = 500
/** Frames on their way to the disk when the files were listed or the recorder was killed, beside the declared intervals. */
const IN_FLIGHT_US = 3_000_000

/** The holes in the `seq` of one run: those that something declared explains are summed up, the others are faults. */
export class SeqHoles {
  readonly #options: SeqHolesOptions
  readonly #holes: SeqHole[] = []
  readonly #unlocated = new Map<string, number>()
  readonly #excused = new Map<string, Excused>()

  constructor(options: SeqHolesOptions) {
    this.#options = options
  }

  /** The ledger's times are rough: a hole that does not lie wholly within what is declared is looked at closely in the end. */
  take(hole: SeqHole): void {
    const isWithin = ({ fromUs, toUs }: Span) => hole.fromUs >= fromUs && hole.toUs <= toUs
    if (this.#excuse(hole, isWithin)) return
    if (this.#holes.length < LOCATED_MAX) this.#holes.push(hole)
    else this.#unlocated.set(hole.conn, (this.#unlocated.get(hole.conn) ?? 0) + 1)
  }

  /**
   * @param segments of the run, read again where there are holes to be explained
   * @param endUs of what can be known: the last frame, or when the files were listed
   */
  report(root: string, segments: readonly SegmentFile[], endUs: number): void {
    const { findings, label } = this.#options
    const beside = this.#linesBeside(root, segments)
    for (const hole of this.#holes) {
      const before = beside.get(`${hole.conn} ${hole.fromSeq - 1}`)
      const after = beside.get(`${hole.conn} ${hole.toSeq + 1}`)
      const exact = { ...hole, fromUs: before?.recvUs ?? 0, toUs: after?.recvUs ?? hole.toUs }
      const meets = ({ fromUs, toUs }: Span) => exact.toUs >= fromUs && exact.fromUs <= toUs
      if (this.#excuse(exact, meets) || this.#excuseAsTail(exact, endUs)) continue
      const from = before ? timeText(before.recvUs) : 'the start of the run'
      const message = `${seqText(hole)} before this line stand in no segment; received between ${from} and ${timeText(exact.toUs)}`
      findings.add({ weight: 'fault', code: 'SEQ_HOLE', path: after?.path ?? label, line: after?.line ?? 1, message })
    }
    for (const [conn, count] of this.#unlocated)
      findings.add({ weight: 'fault', code: 'SEQ_HOLE', path: label, message: `${count} more holes in seq of ${conn}` })
    for (const { code, weight, reason, holes, frames } of this.#excused.values())
      findings.add({ weight, code, path: label, message: `${frames} frames ${reason} (${holes} holes in seq)` })
  }

  #excuse(hole: SeqHole, matches: (span: Span) => boolean): boolean {
    const missing = this.#options.missing.find(matches)
    if (missing) {
      const reason = `of ${hole.conn} may stand in ${numbersText(missing)} of the run, not here or not readable`
      return this.#note(hole, { code: 'SEQ_SEGMENTS_MISSING', weight: 'unproven', reason })
    }
    if (!this.#options.declared.lost.some(matches)) return false
    const reason = `of ${hole.conn} are missing where the journal declares a loss`
    return this.#note(hole, { code: 'SEQ_LOST', weight: 'note', reason })
  }

  /** The last frames of a run that did not stop by itself: lost with it, or not written yet. */
  #excuseAsTail(hole: SeqHole, endUs: number): boolean {
    const { stopped, unsafeUs } = this.#options.declared
    if (stopped || hole.toUs < endUs - unsafeUs - IN_FLIGHT_US) return false
    const reason = `of ${hole.conn} are missing at the end of a run that was killed or is still running`
    return this.#note(hole, { code: 'SEQ_TAIL', weight: 'note', reason })
  }

  #note({ conn, fromSeq, toSeq }: SeqHole, why: Pick<Excused, 'code' | 'weight' | 'reason'>): true {
    const key = `${conn} ${why.reason}`
    const noted = this.#excused.get(key) ?? { ...why, holes: 0, frames: 0 }
    noted.holes++
    noted.frames += toSeq - fromSeq + 1
    this.#excused.set(key, noted)
    return true
  }

  /** The lines on both sides of the holes, by `<conn> <seq>`. */
  #linesBeside(root: string, segments: readonly SegmentFile[]): Map<string, SeenLine> {
    const found = new Map<string, SeenLine>()
    if (this.#holes.length === 0) return found
    const wanted = new Set(
      this.#holes.flatMap(({ conn, fromSeq, toSeq }) => [`${conn} ${fromSeq - 1}`, `${conn} ${toSeq + 1}`]),
    )
    for (const segment of segments) {
      for (const line of seenLines(root, segment)) {
        const key = `${line.conn} ${line.seq}`
        if (wanted.has(key)) found.set(key, line)
      }
    }
    return found
  }
}

function* seenLines(root: string, { path }: SegmentFile): Generator<SeenLine> {
  let number = 0
  for (const line of decodedLines(join(root, path))) {
    number++
    const head = parseLineHead(line.subarray(0, 160).toString('latin1'))
    if (head) yield { path, line: number, recvUs: head.recvUs, conn: head.conn, seq: head.seq }
  }
}

function seqText({ conn, fromSeq, toSeq }: SeqHole): string {
  return fromSeq === toSeq ? `seq ${fromSeq} of ${conn}` : `seq ${fromSeq} to ${toSeq} of ${conn}`
}

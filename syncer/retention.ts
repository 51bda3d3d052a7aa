import { SEGMENT_TIME, withState } from '../formats/raw-path.js'
import type { FileRecord } from '../formats/ledger.js'
import type { LocalFile } from './local-tree.js'
import { isCurrent } from './plan.js'
import type { Receipts } from './receipts.js'

export interface RetentionQuestion {
  /** The files of one date. */
  files: readonly LocalFile[]
  /** Of the target in use. */
  recordOf: (path: string) => FileRecord | undefined
  receipts: Receipts
  nowMs: number
  /** Verified files stay here for so long after the end of their hour. */
  keepMs: number
  /** Bytes that must be freed whatever `keepMs` says, oldest first. */
  needBytes: number
}

/** Why a file that is old enough, or needed, stays. */
export type KeepReason = 'not verified' | 'not compacted' | 'outputs not verified' | 'segment still here'

export interface RetentionAnswer {
  /** In the order of deletion: a segment before its manifest, raw before what was made from it. */
  retire: LocalFile[]
  freedBytes: number
  kept: Map<KeepReason, number>
}

/**
 * Decides what may be deleted here. Pure. Nothing goes unless its copy was verified at the target as it is here; a segment only
 * together with its manifest and when the compactor's receipt speaks of the very same content and what came of it is
 * verified, too; what was made from a segment only after it. Nothing of an hour that has not ended.
 */
export function planRetention(question: RetentionQuestion): RetentionAnswer {
  const { nowMs, keepMs, needBytes } = question
  const here = new Map(question.files.map(file => [file.path, file]))
  const segmentsHere = new Set(question.files.filter(isSegment).map(({ path }) => originOf(path)))
  const answer: RetentionAnswer = { retire: [], freedBytes: 0, kept: new Map() }
  for (const file of [...question.files].sort(byAgeRawFirst)) {
    if (file.hourEndMs > nowMs) continue
    const isDue = file.hourEndMs + keepMs <= nowMs || answer.freedBytes < needBytes
    // A manifest goes with its segment; alone only when the segment has gone before.
    if (!isDue || !here.has(file.path)) continue
    const reason = reasonToKeep(file, here, segmentsHere, question)
    if (reason !== undefined) {
      answer.kept.set(reason, (answer.kept.get(reason) ?? 0) + 1)
      continue
    }
    const manifest = file.kind === 'segment' ? here.get(withState(file.path, 'manifest')) : undefined
    for (const gone of manifest ? [file, manifest] : [file]) {
      answer.retire.push(gone)
      answer.freedBytes += gone.bytes
      here.delete(gone.path)
    }
    if (isSegment(file)) segmentsHere.delete(originOf(file.path))
  }
  return answer
}

/** What is due, and the question asked again when only some of it was found right at the target. */
export function dueOf(question: RetentionQuestion): {
  answer: RetentionAnswer
  again: (isRight: (path: string) => boolean) => LocalFile[]
} {
  const answer = planRetention(question)
  const due = new Set(answer.retire.map(({ path }) => path))
  const again = (isRight: (path: string) => boolean) => {
    const recordOf = (path: string) => (due.has(path) && !isRight(path) ? undefined : question.recordOf(path))
    return planRetention({ ...question, recordOf }).retire
  }
  return { answer, again }
}

const isSegment = ({ kind }: LocalFile) => kind === 'segment'

const BESIDE_ORIGIN = new RegExp(String.raw`^.*/(?:\d\d|${SEGMENT_TIME})-|(?:\.jsonl\.zst|\.jsonl|\.parquet)$`, 'g')

/** `<host>-<run>-<n>`, which a segment shares with what was made from it. */
const originOf = (path: string) => path.replace(BESIDE_ORIGIN, '')

function byAgeRawFirst(a: LocalFile, b: LocalFile): number {
  const rank = (file: LocalFile) => (file.kind === 'segment' ? 0 : file.kind === 'manifest' ? 1 : 2)
  return a.hourEndMs - b.hourEndMs || rank(a) - rank(b) || (a.path < b.path ? -1 : 1)
}

function reasonToKeep(
  file: LocalFile,
  here: ReadonlyMap<string, LocalFile>,
  segmentsHere: ReadonlySet<string>,
  { recordOf, receipts }: RetentionQuestion,
): KeepReason | undefined {
  if (file.kind === 'manifest' && here.has(withState(file.path, 'sealed'))) return 'segment still here'
  const record = recordOf(file.path)
  if (record?.state !== 'verified' || !isCurrent(file, record)) return 'not verified'
  switch (file.kind) {
    case 'segment':
      return reasonToKeepSegment(file, record, here, { recordOf, receipts })
    case 'manifest':
      return recordOf(withState(file.path, 'sealed'))?.state === 'verified' ? undefined : 'not verified'
    case 'superseded':
    case 'lists':
    case 'reports':
      return undefined
    case 'parquet':
    case 'quarantine': {
      const origins = receipts.byOutput.get(file.path)?.segments.map(originOf) ?? [originOf(file.path)]
      return origins.some(origin => segmentsHere.has(origin)) ? 'segment still here' : undefined
    }
  }
}

function reasonToKeepSegment(
  file: LocalFile,
  record: FileRecord,
  here: ReadonlyMap<string, LocalFile>,
  { recordOf, receipts }: Pick<RetentionQuestion, 'recordOf' | 'receipts'>,
): KeepReason | undefined {
  const manifest = here.get(withState(file.path, 'manifest'))
  const manifestRecord = manifest && recordOf(manifest.path)
  if (!manifest || manifestRecord?.state !== 'verified' || !isCurrent(manifest, manifestRecord)) return 'not verified'
  const receipt = receipts.bySegment.get(file.path)
  if (receipt?.sha256 !== record.sha256) return 'not compacted'
  // An output that is gone from here went by retention, which takes verified ones only; its record says so.
  const areSafe = receipt.outputs.every(({ path, sha256 }) => {
    const output = recordOf(path)
    const local = here.get(path)
    return output?.state === 'verified' && output.sha256 === sha256 && (!local || isCurrent(local, output))
  })
  return areSafe ? undefined : 'outputs not verified'
}

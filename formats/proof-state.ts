/**
 * How far a proof of files has come: `state/verify/<proof>.json` in a dataDir, one file for each kind of proof, so that one
 * that was stopped goes on where it was, and whoever watches can see how far it is. Can be lost: the proof begins anew.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { z } from '../platform/zod.js'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import { hasErrno, isMachineError } from '../platform/edge-error.js'

/** The key behind all others of a date. */
export const ALL_OF_DATE = '\uffff'

/** So many faults are kept of a round; more are only counted. */
export const FAULTS_KEPT = 100

const faultSchema = z.object({ code: z.string(), path: z.string(), message: z.string() })
export type KeptFault = z.infer<typeof faultSchema>

const counts = z.record(z.string(), z.number())

const roundSchema = z.object({
  /** ms since the epoch. */
  begunMs: z.number(),
  endedMs: z.number().optional(),
  /** All up to here are proven, this included. */
  at: z.object({ date: z.string(), key: z.string() }).optional(),
  /** What was proven so far, by kinds of things. */
  facts: counts,
  /** Findings by weight. */
  found: counts,
  faults: z.array(faultSchema),
  /** Of all dates, how many are behind it. */
  datesDone: z.number().optional(),
  dates: z.number().optional(),
})

export type ProofRound = z.infer<typeof roundSchema>

const stateSchema = z.object({
  /** What is proven, in full. */
  place: z.string(),
  date: z.string().optional(),
  writtenMs: z.number(),
  /** When it was last begun, or went on. */
  startedMs: z.number(),
  /** The round that is under way, or was stopped. */
  round: roundSchema.optional(),
  /** The last one that came to its end. */
  last: roundSchema.optional(),
})

export type ProofState = z.infer<typeof stateSchema>

/** What is known of a proof's rounds; undefined where there was none, or where the file is not as we write it. */
export function readProofState(place: string, proof: string, date?: string): ProofState | undefined {
  try {
    const parsed = stateSchema.safeParse(JSON.parse(readFileSync(pathOf(place, proof, date), 'utf8')))
    return parsed.success && parsed.data.place === resolve(place) && parsed.data.date === date ? parsed.data : undefined
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Durably; without it a proof that is stopped begins anew, which is no reason not to prove. */
export function writeProofState(place: string, proof: string, state: Omit<ProofState, 'place'>): void {
  try {
    createFolderDurable(folderOf(place))
    writeFileDurable(pathOf(place, proof, state.date), JSON.stringify({ place: resolve(place), ...state }))
  } catch (error) {
    if (!isMachineError(error)) throw error
  }
}

export function forgetProofState(place: string, proof: string, date?: string): void {
  rmSync(pathOf(place, proof, date), { force: true })
}

/** Findings about files that are not what they were; others say why something could not be proven. */
const DAMAGE: ReadonlySet<string> = new Set([
  'ROTTEN',
  'COPY_ROTTEN',
  'COPY_MISSING',
  'LEDGER_UNTRUE',
  'RECEIPT_UNTRUE',
])

/** Damage that the last rounds found, each file once. */
export function damageKnown({ round, last }: Pick<ProofState, 'round' | 'last'>): KeptFault[] {
  const { date = '', key = '' } = round?.at ?? {}
  // What a newer round has passed and not found again is no longer so; of a date that it is in nobody knows yet.
  const isBehind = (path: string) => dateIn(path) < date || (dateIn(path) === date && key === ALL_OF_DATE)
  const before = (last?.faults ?? []).filter(({ path }) => !isBehind(path))
  const all = [...before, ...(round?.faults ?? [])].filter(({ code }) => DAMAGE.has(code))
  return [...new Map(all.map(fault => [fault.path, fault])).values()]
}

const dateIn = (path: string) => /date=(\d{4}-\d\d-\d\d)/.exec(path)?.[1] ?? '9999-99-99'

/** Of single days there is one file, about the last one that was asked for. */
const pathOf = (place: string, proof: string, date: string | undefined) =>
  join(folderOf(place), `${proof}${date === undefined ? '' : '-day'}.json`)

/** A copy of a dataDir has no state of its own, and may be mounted for reading only. */
function folderOf(place: string): string {
  if (existsSync(join(place, 'state'))) return join(place, 'state', 'verify')
  const name = createHash('sha256').update(resolve(place)).digest('hex').slice(0, 16)
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'edgetape', 'verify', name)
}

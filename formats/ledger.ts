import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { lateSchema } from '../platform/late-schema.js'
import { fsyncFolder, writeFileDurable } from '../platform/durable-file.js'
import { appendLinesDurable, readJsonLines } from '../platform/json-lines.js'
import { listFolder } from './partition-folders.js'

/*
 * What the syncer knows of the target, and the recorder believes when its disk is full:
 *
 *   state/syncer/current.json                       {"target":"/mnt/nas","ledger":"ledger-0123456789ab"}
 *   state/syncer/ledger-0123456789ab/<date>.jsonl   {"path":"raw/…","bytes":…,"mtimeMs":…,"sha256":"…","md5":"…","state":"verified","atMs":…}
 */

/** Of a file's content, hex. rsync speaks md5, manifests and receipts speak sha256. */
export interface Checksums {
  sha256: string
  md5: string
}

/**
 * shipped: handed over, not known to have survived. verified: a checksum of the copy, computed at the target in a later
 * pass, was equal. wrong: the copy was another; it is copied again over whatever is there. missing: there was no copy.
 */
const STATES = ['shipped', 'verified', 'wrong', 'missing'] as const
export type ShipState = (typeof STATES)[number]

/** What is known about one file and the target. */
export interface FileRecord extends Checksums {
  path: string
  bytes: number
  /** Of the file here when the checksums were taken, whole ms. */
  mtimeMs: number
  state: ShipState
  /** When it came into this state, ms since the epoch. */
  atMs: number
}

const recordSchema = lateSchema(
  z =>
    z.object({
      path: z.string(),
      bytes: z.number(),
      mtimeMs: z.number(),
      sha256: z.string(),
      md5: z.string(),
      state: z.enum(STATES),
      atMs: z.number(),
    }) satisfies z.ZodType<FileRecord>,
)

/** Lines a ledger may have per record before it is written anew. */
const SLACK = 1.5

/**
 * The ledger of one date and one target: a file of JSON lines, the last one about a path counts. A record is durable
 * once `append` returns. Losing the file costs work, never data: everything is compared with the target again.
 */
export class DateLedger {
  readonly #path: string
  readonly #records = new Map<string, FileRecord>()
  #lines = 0

  /** `readOnly`: another process may be writing it, so it is left as it is. */
  constructor(folder: string, date: string, readOnly = false) {
    this.#path = join(folder, `${date}.jsonl`)
    this.#know(readJsonLines(this.#path, recordSchema()))
    if (!readOnly && this.#lines > SLACK * this.#records.size + 100) this.#rewrite()
  }

  get(path: string): FileRecord | undefined {
    return this.#records.get(path)
  }

  /** Paths of what the target was shown to have. */
  verified(): string[] {
    return [...this.#records.values()].flatMap(({ path, state }) => (state === 'verified' ? [path] : []))
  }

  get size(): number {
    return this.#records.size
  }

  /** Adds records, durably: afterwards a power cut does not lose them. */
  append(records: readonly FileRecord[]): void {
    appendLinesDurable(this.#path, records)
    this.#know(records)
  }

  /** Forgets the date: nothing of it is here any more. */
  remove(): void {
    rmSync(this.#path, { force: true })
    this.#records.clear()
  }

  #know(records: readonly FileRecord[]): void {
    for (const record of records) this.#records.set(record.path, record)
    this.#lines += records.length
  }

  #rewrite(): void {
    writeFileDurable(this.#path, [...this.#records.values()].map(record => JSON.stringify(record) + '\n').join(''))
    this.#lines = this.#records.size
  }
}

/** The dates that have a ledger in a folder of such, oldest first. */
export const ledgerDates = (folder: string) =>
  listFolder(folder, '.').files.flatMap(name => /^(\d{4}-\d\d-\d\d)\.jsonl$/.exec(name)?.[1] ?? [])

/** Which ledgers are about the target that files go to now. Nobody believes others. */
const accountSchema = lateSchema(z =>
  z.object({
    /** The target's label: its address. */
    target: z.string(),
    /** The ledgers' folder, beside this file. */
    ledger: z.string().regex(/^ledger-[0-9a-f]+$/),
  }),
)

export type Account = z.infer<ReturnType<typeof accountSchema>>

/** Where the syncer keeps what it knows. */
export const syncerState = (dataDir: string) => join(dataDir, 'state', 'syncer')

const accountIn = (stateDir: string) => join(stateDir, 'current.json')

/** The account that counts; undefined where none does, or where the file is not as we write it. */
export const readAccount = (stateDir: string): Account | undefined =>
  readJsonLines(accountIn(stateDir), accountSchema())[0]

/** Afterwards it is the one that counts, durably. */
export function writeAccount(stateDir: string, account: Account): void {
  writeFileDurable(accountIn(stateDir), `${JSON.stringify(account)}\n`)
}

/** Afterwards none counts, durably, until a target is met again. */
export function endAccount(stateDir: string): void {
  const path = accountIn(stateDir)
  if (!existsSync(path)) return
  rmSync(path)
  fsyncFolder(stateDir)
}

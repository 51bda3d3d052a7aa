import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { listFolder } from '../formats/partition-folders.js'
import { createFolderDurable, writeFileDurable } from '../platform/durable-file.js'
import { DateLedger, endAccount, readAccount, writeAccount } from '../formats/ledger.js'
import { readSettled, writeSettled, type SettledDate } from './settled.js'

/** Dates kept in memory between passes: the two that are written to around midnight. */
const DATES_KEPT = 2

/**
 * The ledgers of one target, and which target stood at its address when it was last used. What was verified at one target
 * says nothing about another, so each has its own folder.
 */
export class LedgerStore {
  readonly #stateDir: string
  readonly #label: string
  readonly #readOnly: boolean
  #identity: string | undefined
  readonly #kept = new Map<string, DateLedger>()

  /** `stateDir` is `state/syncer`; `label` the target's address; `readOnly` beside a syncer that is at work. */
  constructor(stateDir: string, label: string, readOnly = false) {
    this.#stateDir = stateDir
    this.#label = label
    this.#readOnly = readOnly
    createFolderDurable(stateDir)
    this.#identity = readIdentity(stateDir, label)
    // Another address than before: what was verified there is not where files go now.
    if (!readOnly && readAccount(stateDir)?.target !== label) endAccount(stateDir)
  }

  /** Of the target when it was last used; undefined where it never was, or where the state was lost. */
  get identity(): string | undefined {
    return this.#identity
  }

  /**
   * Remembers, durably, which target it is, and that its account is the one that counts. Another target than before begins
   * with empty ledgers; those of others go.
   */
  meet(identity: string): void {
    if (identity !== this.#identity) {
      endAccount(this.#stateDir)
      writeFileDurable(this.#identityPath(), `${identity}\n`)
      this.#identity = identity
      this.#kept.clear()
    }
    const ledger = this.#folderName()
    const known = readAccount(this.#stateDir)
    if (known?.target === this.#label && known.ledger === ledger) return
    for (const name of listFolder(this.#stateDir, '.').folders)
      if (name.startsWith('ledger-') && name !== ledger) rmSync(join(this.#stateDir, name), { recursive: true })
    writeAccount(this.#stateDir, { target: this.#label, ledger })
  }

  /** The ledger of a date; an empty one while the target was never met. */
  of(date: string): DateLedger {
    const found = this.#kept.get(date)
    if (found) return found
    return new DateLedger(this.#folder(), date, this.#readOnly)
  }

  /** Drops the ledgers of dates of which nothing is here any more. */
  forgetAllBut(dates: ReadonlySet<string>): void {
    const folder = this.#folder()
    for (const name of listFolder(folder, '.').files) {
      const date = /^(\d{4}-\d\d-\d\d)\.(?:jsonl|settled)$/.exec(name)?.[1]
      if (date !== undefined && !dates.has(date)) rmSync(join(folder, name), { force: true })
    }
    for (const date of this.#kept.keys()) if (!dates.has(date)) this.#kept.delete(date)
  }

  /** Keeps the ledgers of the newest dates in memory, drops the others. */
  keep(date: string, ledger: DateLedger): void {
    this.#kept.set(date, ledger)
    const old = [...this.#kept.keys()].sort().slice(0, -DATES_KEPT)
    for (const key of old) this.#kept.delete(key)
  }

  /** What was remembered of a date when all of it was verified. */
  settled(date: string): SettledDate | undefined {
    return readSettled(this.#settledPath(date))
  }

  /** Remembers that all of a date is verified, or, without `settled`, that it no longer is. */
  settle(date: string, settled: SettledDate | undefined): void {
    if (settled) writeSettled(this.#settledPath(date), settled)
    else rmSync(this.#settledPath(date), { force: true })
  }

  #settledPath(date: string): string {
    return join(this.#folder(), `${date}.settled`)
  }

  #folder(): string {
    const folder = join(this.#stateDir, this.#folderName())
    createFolderDurable(folder)
    return folder
  }

  #folderName(): string {
    return `ledger-${shortHash(`${this.#label}\n${this.#identity ?? ''}`)}`
  }

  #identityPath(): string {
    return identityPath(this.#stateDir, this.#label)
  }
}

/** What stood at the address `label` when it was last used, as `LedgerStore.identity`, without touching anything. */
export function readIdentity(stateDir: string, label: string): string | undefined {
  const path = identityPath(stateDir, label)
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
}

const identityPath = (stateDir: string, label: string) => join(stateDir, `target-${shortHash(label)}`)

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

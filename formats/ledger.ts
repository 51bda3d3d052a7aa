import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fsyncFolder, writeFileDurable, writeFully } from '../platform/durable-file.js'

/** Of a file's content, hex. rsync speaks md5, manifests and receipts speak sha256. */
export interface Checksums {
  sha256: string
  md5: string
}

/**
 * shipped: handed over, not known to have survived. verified: a checksum of the copy, computed at the target in a later
 * pass, was equal. wrong: the copy was another; it is shipped anew over whatever is there. missing: there was no copy.
 */
export type ShipState = 'shipped' | 'verified' | 'wrong' | 'missing'

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
  #torn = false

  /** `readOnly`: another process may be writing it, so it is left as it is. */
  constructor(folder: string, date: string, readOnly = false) {
    this.#path = join(folder, `${date}.jsonl`)
    if (existsSync(this.#path)) this.#load(readFileSync(this.#path))
    if (readOnly) return
    if (this.#torn || this.#lines > SLACK * this.#records.size + 100) this.#rewrite()
  }

  get(path: string): FileRecord | undefined {
    return this.#records.get(path)
  }

  get size(): number {
    return this.#records.size
  }

  /** Adds records, durably: afterwards a power cut does not lose them. */
  append(records: readonly FileRecord[]): void {
    if (records.length === 0) return
    const isNew = !existsSync(this.#path)
    mkdirSync(dirname(this.#path), { recursive: true })
    const fd = openSync(this.#path, 'a', 0o644)
    try {
      writeFully(fd, Buffer.from(records.map(record => JSON.stringify(record) + '\n').join('')))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    if (isNew) fsyncFolder(dirname(this.#path))
    for (const record of records) this.#records.set(record.path, record)
    this.#lines += records.length
  }

  /** Forgets the date: nothing of it is here any more. */
  remove(): void {
    rmSync(this.#path, { force: true })
    this.#records.clear()
  }

  #load(content: Buffer): void {
    let start = 0
    for (let end = content.indexOf(10); end !== -1; end = content.indexOf(10, start)) {
      const record = parseRecord(content.toString('utf8', start, end))
      if (record) this.#records.set(record.path, record)
      else this.#torn = true
      this.#lines++
      start = end + 1
    }
    if (start < content.length) this.#torn = true
  }

  #rewrite(): void {
    writeFileDurable(this.#path, [...this.#records.values()].map(record => JSON.stringify(record) + '\n').join(''))
    this.#lines = this.#records.size
    this.#torn = false
  }
}

/** One line back to its record; undefined for a torn one, which then counts as never written. */
export function parseRecord(line: string): FileRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  return isRecord(value) ? value : undefined
}

const STATES: readonly unknown[] = ['shipped', 'verified', 'wrong', 'missing'] satisfies ShipState[]

function isRecord(value: unknown): value is FileRecord {
  if (typeof value !== 'object' || value === null) return false
  const record = value as Partial<Record<keyof FileRecord, unknown>>
  return (
    typeof record.path === 'string' &&
    typeof record.bytes === 'number' &&
    typeof record.mtimeMs === 'number' &&
    typeof record.atMs === 'number' &&
    typeof record.sha256 === 'string' &&
    typeof record.md5 === 'string' &&
    STATES.includes(record.state)
  )
}

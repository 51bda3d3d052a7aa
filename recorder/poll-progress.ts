import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { hasErrno } from '../platform/edge-error.js'

const progressSchema = z.record(z.string(), z.number())

/**
 * How far each poll was answered, ms since the epoch, kept over restarts in `state/`. It can be lost: then all is asked
 * for once more.
 */
export class PollProgress {
  readonly #path: string
  readonly #answeredMs: Map<string, number>
  #changed = false

  constructor(dataDir: string, exchange: string, host: string) {
    this.#path = join(dataDir, 'state', `recorder-polls-${exchange}-${host}.json`)
    this.#answeredMs = new Map(Object.entries(readProgress(this.#path)))
  }

  answeredMs(id: string): number | undefined {
    return this.#answeredMs.get(id)
  }

  note(id: string, answeredMs: number): void {
    this.#answeredMs.set(id, answeredMs)
    this.#changed = true
  }

  /** Writes what changed, in one step. Not durable on purpose. */
  save(): void {
    if (!this.#changed) return
    mkdirSync(dirname(this.#path), { recursive: true })
    writeFileSync(`${this.#path}.tmp`, JSON.stringify(Object.fromEntries(this.#answeredMs)))
    renameSync(`${this.#path}.tmp`, this.#path)
    this.#changed = false
  }

  /** Forgets polls that are not asked for any more, e.g. of instruments that expired. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#answeredMs.keys()) if (!ids.has(id)) this.#changed = this.#answeredMs.delete(id)
  }
}

function readProgress(path: string): Record<string, number> {
  try {
    return progressSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || error instanceof SyntaxError || error instanceof z.ZodError) return {}
    throw error
  }
}

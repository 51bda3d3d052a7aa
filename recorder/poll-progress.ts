import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from '../platform/zod.js'
import { hasErrno } from '../platform/edge-error.js'
import { UnhurriedFile } from '../platform/unhurried-file.js'

const progressSchema = z.record(z.string(), z.number())

/**
 * How far each poll was answered, ms since the epoch, kept over restarts in `state/`. It can be lost: then all is asked
 * for once more. Nobody waits for its disk but who reads it.
 */
export class PollProgress {
  readonly #path: string
  readonly #file: UnhurriedFile
  readonly #answeredMs = new Map<string, number>()
  #changed = false

  constructor(dataDir: string, exchange: string, host: string) {
    this.#path = join(dataDir, 'state', `recorder-polls-${exchange}-${host}.json`)
    this.#file = new UnhurriedFile(this.#path)
  }

  /** Takes up what earlier runs kept; what was noted since stays. */
  async load(): Promise<void> {
    for (const [id, answeredMs] of Object.entries(await readProgress(this.#path)))
      if (!this.#answeredMs.has(id)) this.#answeredMs.set(id, answeredMs)
  }

  answeredMs(id: string): number | undefined {
    return this.#answeredMs.get(id)
  }

  note(id: string, answeredMs: number): void {
    this.#answeredMs.set(id, answeredMs)
    this.#changed = true
  }

  /** Writes what changed, in one step, unless the write before is still under way. */
  async save(): Promise<void> {
    if (!this.#changed || this.#file.isBusy) return
    this.#changed = false
    try {
      await this.#file.write(JSON.stringify(Object.fromEntries(this.#answeredMs)))
    } catch (error) {
      this.#changed = true
      throw error
    }
  }

  /** Forgets polls that are not asked for any more, e.g. of instruments that expired. */
  keepOnly(ids: ReadonlySet<string>): void {
    for (const id of this.#answeredMs.keys()) if (!ids.has(id)) this.#changed = this.#answeredMs.delete(id)
  }
}

async function readProgress(path: string): Promise<Record<string, number>> {
  try {
    return progressSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || error instanceof SyntaxError || error instanceof z.ZodError) return {}
    throw error
  }
}

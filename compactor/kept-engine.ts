import { mkdirSync, rmSync } from 'node:fs'
import { FEW_BYTES, openEngine, unlessAborted, withEngine, type Engine, type EngineLimits } from './engine.js'

/** An engine that nobody used for so long is closed. */
const KEEP_MS = 10_000
/** What DuckDB may pile up is bounded: then it is opened anew. */
const USES_MAX = 200

/**
 * An engine that small segments use one after the other. To open one and to load a table's SQL takes longer than to
 * convert a thousand lines; of what they leave, only that SQL stays. One in which anything failed is used no more.
 */
export class KeptEngine {
  readonly #limits: EngineLimits
  #kept: { engine: Engine; uses: number } | undefined
  #closing: NodeJS.Timeout | undefined

  constructor(limits: EngineLimits) {
    this.#limits = limits
  }

  /**
   * Does something with the engine, or where much is to be read with one of its own.
   * @param bytesRaw what is to be read, uncompressed
   * @throws the signal's reason
   */
  async use<Result>(
    bytesRaw: number,
    action: (engine: Engine) => Promise<Result>,
    signal: AbortSignal | undefined,
  ): Promise<Result> {
    if (bytesRaw > FEW_BYTES) return withEngine(this.#limits, action, signal)
    signal?.throwIfAborted()
    clearTimeout(this.#closing)
    const kept = this.#kept ?? (await this.#open())
    this.#kept = undefined
    let isSound = false
    try {
      const result = await unlessAborted(kept.engine, action, signal)
      await kept.engine.clear()
      isSound = ++kept.uses < USES_MAX
      return result
    } finally {
      if (isSound) this.#keep(kept)
      else kept.engine.close()
    }
  }

  /** Gives its memory back. */
  close(): void {
    clearTimeout(this.#closing)
    this.#kept?.engine.close()
    this.#kept = undefined
    rmSync(this.#limits.spillFolder, { recursive: true, force: true })
  }

  async #open() {
    mkdirSync(this.#limits.spillFolder, { recursive: true })
    return { engine: await openEngine(this.#limits), uses: 0 }
  }

  #keep(kept: { engine: Engine; uses: number }): void {
    this.#kept = kept
    this.#closing = setTimeout(() => this.close(), KEEP_MS).unref()
  }
}

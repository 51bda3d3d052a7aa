import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { z } from '../../platform/zod.js'
import { createFolderDurable, writeFileDurable } from '../../platform/durable-file.js'
import type { SourceFile } from './source-files.js'

const partSchema = z.object({
  key: z.string(),
  /** Bytes of the decompressed file that are in the tree: whole hours. */
  offset: z.int(),
  /** What the journal has as subscribed. */
  channels: z.array(z.string()),
  lastUs: z.int(),
})

const schema = z.object({
  /** Files whose lines are all in the tree. */
  done: z.array(z.string()),
  /** The file that an import was in. */
  part: partSchema.optional(),
})

export type ImportedPart = z.infer<typeof partSchema>

/**
 * How far imports have come: `state/import/notes.json`. It saves time and may be lost: what is imported again makes
 * segments of the same names, which are there.
 */
export class ImportNotes {
  readonly #path: string
  readonly #form: string
  readonly #done: Set<string>
  #part: ImportedPart | undefined

  /** @param form what the lines are taken for: a file that is read in another way is another */
  constructor(dataDir: string, form: string) {
    this.#path = join(dataDir, 'state', 'import', 'notes.json')
    this.#form = form
    const { done, part } = read(this.#path)
    this.#done = new Set(done)
    this.#part = part
  }

  isDone(file: SourceFile): boolean {
    return this.#done.has(this.#keyOf(file))
  }

  partOf(file: SourceFile): ImportedPart | undefined {
    return this.#part?.key === this.#keyOf(file) ? this.#part : undefined
  }

  /** Durable afterwards. */
  came(file: SourceFile, part: Omit<ImportedPart, 'key'>): void {
    this.#part = { key: this.#keyOf(file), ...part }
    this.#write()
  }

  /** Durable afterwards. */
  finished(files: readonly SourceFile[]): void {
    for (const file of files) this.#done.add(this.#keyOf(file))
    this.#part = undefined
    this.#write()
  }

  #keyOf({ path, bytes, modifiedMs }: SourceFile): string {
    return `${this.#form} ${bytes} ${modifiedMs} ${path}`
  }

  #write(): void {
    createFolderDurable(dirname(this.#path))
    writeFileDurable(this.#path, `${JSON.stringify({ done: [...this.#done], part: this.#part })}\n`)
  }
}

function read(path: string): z.infer<typeof schema> {
  if (!existsSync(path)) return { done: [] }
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    // What a fault of the disk left: all is looked at again.
    if (error instanceof SyntaxError || error instanceof z.ZodError) return { done: [] }
    throw error
  }
}

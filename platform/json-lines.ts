import { closeSync, existsSync, fstatSync, fsyncSync, openSync, readFileSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import type { z } from 'zod'
import { parsedJson } from '../platform/json-object.js'
import { createFolderDurable, fsyncFolder, writeFully } from './durable-file.js'
import { hasErrno } from './edge-error.js'

/** Appends values, each a line of JSON; afterwards they are durable. */
export function appendLinesDurable(path: string, values: readonly unknown[]): void {
  if (values.length === 0) return
  createFolderDurable(dirname(path))
  // A line torn by a crash ends here, so that it cannot swallow this one.
  const torn = endsTorn(path)
  const fd = openSync(path, 'a', 0o644)
  try {
    writeFully(fd, Buffer.from(`${torn ? '\n' : ''}${values.map(value => `${JSON.stringify(value)}\n`).join('')}`))
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  fsyncFolder(dirname(path))
}

function endsTorn(path: string): boolean {
  if (!existsSync(path)) return false
  const fd = openSync(path, 'r')
  try {
    const { size } = fstatSync(fd)
    const last = Buffer.alloc(1)
    return size > 0 && readSync(fd, last, 0, 1, size - 1) === 1 && last[0] !== 0x0a
  } finally {
    closeSync(fd)
  }
}

/** The values of a file of such lines, in their order; none where there is no file. */
export function readJsonLines<Schema extends z.ZodType>(path: string, schema: Schema): z.infer<Schema>[] {
  try {
    return parseJsonLines(readFileSync(path, 'utf8'), schema)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** The same of text. Lines that are no such value, above all one torn by a crash, are passed over. */
export function parseJsonLines<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema>[] {
  return text.split('\n').flatMap(line => {
    const parsed = schema.safeParse(parsedJson(line))
    return parsed.success ? [parsed.data] : []
  })
}

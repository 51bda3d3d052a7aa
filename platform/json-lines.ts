import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fsyncFolder, writeFully } from './durable-file.js'
import { hasErrno } from './edge-error.js'

/** Appends values, each a line of JSON; afterwards they are durable. */
export function appendLinesDurable(path: string, values: readonly unknown[]): void {
  if (values.length === 0) return
  mkdirSync(dirname(path), { recursive: true })
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
  try {
    const text = readFileSync(path)
    return text.length > 0 && text.at(-1) !== 0x0a
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false
    throw error
  }
}

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFolderDurable } from '../platform/durable-file.js'
import { hasErrno } from '../platform/edge-error.js'
import { parsedObject, type JsonObject } from '../platform/json-object.js'
import { version } from '../platform/package-info.js'
import { UnhurriedFile } from '../platform/unhurried-file.js'

export type Part = 'recorder' | 'compactor' | 'syncer' | 'monitor'

/** @param of the exchange, where several recorders are at work in one dataDir */
export const statePath = (dataDir: string, name: string, of?: string) =>
  join(dataDir, 'state', of === undefined ? `${name}.json` : `${name}.${of}.json`)

const startedAt = new Date(performance.timeOrigin).toISOString()

/**
 * Publishes what a part is doing as `state/<part>.json`, replaced whole. Not durable on purpose: it describes this
 * moment, and every part can do without it.
 */
export function writeStatus(dataDir: string, part: Part, status: object, of?: string): void {
  const path = statePath(dataDir, part, of)
  createFolderDurable(join(dataDir, 'state'))
  writeFileSync(`${path}.tmp`, statusText(part, status))
  renameSync(`${path}.tmp`, path)
}

/** The same without waiting for the disk, which may never answer: one write is under way at most, others are left out. */
export class StatusWriter {
  readonly #file: UnhurriedFile
  readonly #part: Part

  constructor(dataDir: string, part: Part, of?: string) {
    this.#file = new UnhurriedFile(statePath(dataDir, part, of))
    this.#part = part
  }

  /** @throws errors of the disk */
  async write(status: object): Promise<void> {
    if (!this.#file.isBusy) await this.#file.write(statusText(this.#part, status))
  }

  /**
   * Writes what is to stand there when the process is gone.
   * @returns false where the disk does not answer
   * @throws errors of the disk
   */
  async writeLast(status: object, withinMs: number): Promise<boolean> {
    return this.#file.writeLast(statusText(this.#part, status), withinMs)
  }
}

function statusText(part: Part, status: object): string {
  const written_at = new Date().toISOString()
  return JSON.stringify({ part, pid: process.pid, version, started_at: startedAt, written_at, ...status })
}

/** The last status a part wrote, or undefined where it never ran or wrote something unreadable. */
export function readStatus(dataDir: string, part: Part, of?: string): JsonObject | undefined {
  return readState(statePath(dataDir, part, of))
}

/** What a part said of itself in a file that is replaced whole. */
export function readState(path: string): JsonObject | undefined {
  try {
    return parsedObject(readFileSync(path, 'utf8'))
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

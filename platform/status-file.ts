import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrno } from './edge-error.js'
import { version } from './package-info.js'

export type Part = 'recorder' | 'compactor' | 'syncer'

const statusPath = (dataDir: string, part: Part) => join(dataDir, 'state', `${part}.json`)

const startedAt = new Date(performance.timeOrigin).toISOString()

/**
 * Publishes what a part is doing as `state/<part>.json`, replaced whole. Not durable on purpose: it describes this
 * moment, and every part can do without it.
 */
export function writeStatus(dataDir: string, part: Part, status: object): void {
  const path = statusPath(dataDir, part)
  mkdirSync(join(dataDir, 'state'), { recursive: true })
  writeFileSync(
    `${path}.tmp`,
    JSON.stringify({
      part,
      pid: process.pid,
      version,
      started_at: startedAt,
      written_at: new Date().toISOString(),
      ...status,
    }),
  )
  renameSync(`${path}.tmp`, path)
}

/** The last status a part wrote, or undefined where it never ran or wrote something unreadable. */
export function readStatus(dataDir: string, part: Part): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(statusPath(dataDir, part), 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch (error) {
    if (hasErrno(error, 'ENOENT') || error instanceof SyntaxError) return undefined
    throw error
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { hasErrno, messageOf } from '../../platform/edge-error.js'

/** Lines kept; older ones are forgotten. */
export const HISTORY_MAX = 1000

/** Where what was typed at the prompt is kept, for its user alone. */
export const historyPath = (env: NodeJS.ProcessEnv = process.env) =>
  join(env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'edgetape', 'query-history')

/** The newest first, as the line editor has it; nothing where none was kept, or nothing can be read. */
export function readHistory(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .reverse()
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EACCES', 'ENOTDIR')) return []
    throw error
  }
}

/** @returns why it cannot be kept, in words; undefined where it is */
export function keepHistory(path: string, newestFirst: readonly string[]): string | undefined {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, [...newestFirst.slice(0, HISTORY_MAX)].reverse().map(line => `${line}\n`).join(''), { mode: 0o600 }) // prettier-ignore
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

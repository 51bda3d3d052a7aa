import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { core } from 'zod'
import { z } from '../platform/zod.js'
import { memberOf, shapeOf, unwrap } from './schema-walk.js'

/** What a key of the config holds that is a path, or may be one. */
type PathKind = 'path' | 'target' | 'command'

const KIND = 'edgetapePath'

/** Marks what a key is checked by: its value is a path, and made absolute when the config is loaded. */
export const pathMeta = (kind: PathKind) => ({ [KIND]: kind })

/** Why a text is no path of the config; undefined where it is one. */
export function pathComplaint(text: string): string | undefined {
  if (text === '') return 'a path'
  if (text.includes('\0')) return 'a path without NUL'
  if (text !== text.trim()) return 'a path without blanks around it'
  return text.startsWith('~') && text !== '~' && !text.startsWith('~/')
    ? 'a path; of home folders only your own is known, as ~/…'
    : undefined
}

/** `~` and `~/…` name the home folder, as in a shell. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path
}

/** An absolute path: `~/…` from the home folder, others from `folder`. */
export const absolutePath = (path: string, folder: string) => resolve(folder, expandHome(path))

/** The same values with every path absolute, as marked in `schema`; relative ones begin in `folder`. Pure. */
export function withAbsolutePaths<T>(schema: core.$ZodType, values: T, folder: string): T {
  return absolute(schema, values, folder) as T
}

function absolute(schema: core.$ZodType | undefined, value: unknown, folder: string): unknown {
  if (value === undefined || value === null) return value
  const inner = unwrap(schema)
  const kind = inner && (z.globalRegistry.get(inner)?.[KIND] as PathKind | undefined)
  if (kind !== undefined) return absoluteOf(kind, value, folder)
  if (Array.isArray(value))
    return inner instanceof z.ZodArray ? value.map(item => absolute(inner.element, item, folder)) : (value as unknown)
  if (typeof value !== 'object') return value
  const shape = shapeOf(schema, value)
  return Object.fromEntries(Object.keys(value).map(key => [key, absolute(shape[key], memberOf(value, key), folder)]))
}

function absoluteOf(kind: PathKind, value: unknown, folder: string): unknown {
  switch (kind) {
    case 'path':
      return absolutePath(String(value), folder)
    case 'target': {
      // Only what begins so is a folder; anything else names another machine.
      const text = String(value)
      return /^(?:~?\/|\.\.?\/|~$)/.test(text) ? absolutePath(text, folder) : text
    }
    case 'command': {
      // A program without a slash is looked for in PATH, and only the program is known to be a path.
      const [program = '', ...rest] = value as string[]
      return [program.includes('/') ? absolutePath(program, folder) : program, ...rest]
    }
  }
}

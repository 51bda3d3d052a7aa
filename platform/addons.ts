import { createRequire } from 'node:module'
import { EdgeError, messageOf } from './edge-error.js'

/** Packages with a part that is compiled for one system and one Node, and without which nothing goes. */
export const ADDONS = ['@duckdb/node-api'] as const

/** What says that a native addon is not there, or is not for this machine; undefined where `thrown` is something else. */
export function addonMissing(thrown: unknown): EdgeError | undefined {
  if (!(thrown instanceof Error)) return undefined
  const code = 'code' in thrown ? thrown.code : undefined
  const [what = ''] = messageOf(thrown).split('\n')
  const isOne =
    code === 'ERR_DLOPEN_FAILED' ||
    /duckdb native binding/.test(what) ||
    (code === 'MODULE_NOT_FOUND' && /\.node\b/.test(what))
  if (!isOne) return undefined
  return new EdgeError('ADDON_MISSING', `a native addon cannot be loaded: ${what}`, {
    cause: thrown,
    hint: `reinstall edgetape on this machine, with this Node (${process.version}, ${process.platform} ${process.arch}): a node_modules that was copied from another does not do, nor one that was installed without optional packages or scripts`,
  })
}

/** Loads a native addon. @throws EdgeError ADDON_MISSING */
export function loadAddon(name: (typeof ADDONS)[number]): void {
  try {
    createRequire(import.meta.url)(name)
  } catch (error) {
    throw addonMissing(error) ?? error
  }
}

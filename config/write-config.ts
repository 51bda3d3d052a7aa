import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { EdgeError, hasErrno } from '../platform/edge-error.js'

/**
 * Writes a config file in one step; one that is there already stays unless it may be replaced.
 * @throws EdgeError CONFIG_EXISTS
 */
export function writeConfigFile(path: string, text: string, replace: boolean): void {
  mkdirSync(dirname(resolve(path)), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, text, { flag: 'wx' })
  try {
    // A link takes no name that is taken; a rename takes any.
    if (replace) renameSync(temporary, path)
    else linkSync(temporary, path)
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) throw exists(path)
    throw error
  } finally {
    rmSync(temporary, { force: true })
  }
}

export function exists(path: string): EdgeError {
  return new EdgeError('CONFIG_EXISTS', `there is a config at ${resolve(path)} already, and it stays as it is`, {
    path,
    hint: 'name another with --config, or have it replaced with --force',
  })
}

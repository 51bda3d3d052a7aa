import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument, visit, type Document } from 'yaml'
import { EdgeError, hasErrno, messageOf } from '../platform/edge-error.js'
import { complaintsOf } from './complaints.js'
import { withAbsolutePaths } from './paths.js'
import { byTodaysKeys } from './renamed-keys.js'
import { configFile, configOf, type Config } from './schema.js'

/**
 * Reads and checks a config file.
 * @throws EdgeError CONFIG_NOT_FOUND, CONFIG_UNREADABLE, CONFIG_INVALID: each line of the message is one complaint with
 *         file, line, key, what was found and what was wanted
 */
export function loadConfig(path: string): Config {
  return parseConfig(readConfigText(path), path)
}

function readConfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const facts = { path, cause, hint: 'edgetape init writes one; or name another with --config' }
    if (hasErrno(cause, 'ENOENT')) throw new EdgeError('CONFIG_NOT_FOUND', `no config file at ${resolve(path)}`, facts)
    throw new EdgeError('CONFIG_UNREADABLE', `cannot read the config file: ${messageOf(cause)}`, { path, cause })
  }
}

/** The same for text already read; `path` is named in complaints, and relative paths begin in its folder. */
export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const syntax = document.errors.map(error => `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`)
  if (syntax.length > 0) throw invalid(path, syntax)

  const result = configFile.safeParse(byTodaysKeys(valuesOf(document, path, lines)), { reportInput: true })
  if (result.success) return configOf(withAbsolutePaths(configFile, result.data, dirname(resolve(path))))
  throw invalid(
    path,
    result.error.issues.flatMap(issue => complaintsOf(issue, path, document, lines)),
  )
}

function valuesOf(document: Document, path: string, lines: LineCounter): unknown {
  visit(document, {
    Alias(_key, alias, above) {
      const named = alias.resolve(document)
      if (named === undefined || !above.includes(named)) return
      const { line } = lines.linePos(alias.range?.[0] ?? 0)
      throw invalid(path, [`${path}:${line}: *${alias.source} stands within what it names`])
    },
  })
  try {
    return document.toJS() ?? {}
  } catch (error) {
    // Aliases that name no anchor, or that would expand without end.
    throw invalid(path, [`${path}: ${messageOf(error)}`])
  }
}

function invalid(path: string, complaints: string[]): EdgeError {
  return new EdgeError('CONFIG_INVALID', complaints.join('\n'), {
    path,
    hint: 'edgetape help config lists every key',
  })
}

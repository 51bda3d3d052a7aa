import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { isMap, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'
import { EdgeError, hasErrno } from '../platform/edge-error.js'
import { configSchema, type Config } from './schema.js'
import { shapeOf } from './schema-walk.js'

/**
 * Reads and checks a config file.
 * @throws EdgeError CONFIG_NOT_FOUND, CONFIG_INVALID: each line of the message is one complaint with file, line, key,
 *         what was found and what was wanted
 */
export function loadConfig(path: string): Config {
  return parseConfig(readConfigText(path), path)
}

function readConfigText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error
    throw new EdgeError('CONFIG_NOT_FOUND', `no config file at ${resolve(path)}`, {
      path,
      cause: error,
      hint: 'copy config/edgetape.example.yaml there, or name another with --config',
    })
  }
}

/** The same for text already read; `path` is used in complaints only. */
export function parseConfig(text: string, path: string): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const syntax = document.errors.map(error => `${path}:${lines.linePos(error.pos[0]).line}: ${error.message}`)
  if (syntax.length > 0) throw invalid(path, syntax)

  const found: unknown = document.toJS() ?? {}
  const result = configSchema.safeParse(found, { reportInput: true })
  if (result.success) return result.data
  throw invalid(
    path,
    result.error.issues.flatMap(issue => complaintsOf(issue, path, document, lines)),
  )
}

function invalid(path: string, complaints: string[]): EdgeError {
  return new EdgeError('CONFIG_INVALID', complaints.join('\n'), {
    path,
    hint: 'edgetape record --help lists every key',
  })
}

function complaintsOf(issue: z.core.$ZodIssue, path: string, document: Document, lines: LineCounter): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => {
      const at = lineOf(document, lines, [...issue.path, key])
      return `${path}:${at}: ${dotted([...issue.path, key])}: unknown key${suggestion(key, issue.path)}`
    })
  }
  const input = issue.input === undefined ? 'nothing' : JSON.stringify(issue.input)
  return [
    `${path}:${lineOf(document, lines, issue.path)}: ${dotted(issue.path)}: found ${input}, wanted ${wanted(issue)}`,
  ]
}

function wanted(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_type':
      return `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`
    case 'too_small':
      return `${issue.origin === 'array' || issue.origin === 'string' ? 'a length of ' : ''}${issue.minimum} or more`
    case 'too_big':
      return `${issue.origin === 'array' || issue.origin === 'string' ? 'a length of ' : ''}${issue.maximum} or less`
    case 'invalid_format':
      return issue.format === 'url' ? 'a URL starting with ws:// or wss://' : issue.message
    default:
      return issue.message
  }
}

function suggestion(key: string, path: PropertyKey[]): string {
  const known = knownKeys(path)
  if (known.length === 0) return ''
  const nearest = closest(key, known)
  const hint = distance(key.toLowerCase(), nearest.toLowerCase()) <= Math.max(2, key.length / 2)
  return hint ? `; did you mean ${nearest}?` : `; known here: ${known.join(', ')}`
}

/** The keys of the schema below `path`. */
function knownKeys(path: PropertyKey[]): string[] {
  let schema: z.core.$ZodType | undefined = configSchema
  for (const key of path) schema = shapeOf(schema)[String(key)]
  return Object.keys(shapeOf(schema))
}

function dotted(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '(top level)' : path.map(String).join('.')
}

/** The line of the deepest node of `path` that the document has. */
function lineOf(document: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  let offset = 0
  let node: unknown = document.contents
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find(item => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) break
      if (isScalar(pair.key) && pair.key.range) offset = pair.key.range[0]
      node = pair.value
    } else break
  }
  return lines.linePos(offset).line
}

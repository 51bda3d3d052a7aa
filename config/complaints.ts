import { closest, distance } from 'fastest-levenshtein'
import { isMap, isNode, isScalar, isSeq, type Document, type LineCounter } from 'yaml'
import type { core } from 'zod'
import { shownUrl } from '../platform/shown-url.js'
import { z } from '../platform/zod.js'
import { exchanges } from '../exchanges/registry.js'
import { configFile } from './schema.js'
import { memberOf, shapeOf, unwrap } from './schema-walk.js'

/** What a person reads for one issue: file, line, key, what was found, what was wanted; a line for each unknown key. */
export function complaintsOf(issue: core.$ZodIssue, path: string, document: Document, lines: LineCounter): string[] {
  const at = (keys: readonly PropertyKey[]) => `${path}:${lineOf(document, lines, keys)}: ${dotted(keys)}`
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map(key => `${at([...issue.path, key])}: ${unknownKey(key, issue.path, document)}`)
  return [`${at(issue.path)}: found ${found(inputOf(issue))}, wanted ${wanted(issue)}${nearestValue(issue)}`]
}

function unknownKey(key: string, path: PropertyKey[], document: Document): string {
  if (/secret|client_?id|passw|token|api_?key/i.test(key))
    return `credentials are not taken from this file; set ${logins()} in the environment`
  const known = knownKeys(path, document.toJS())
  const near = nearest(key, known)
  return near === undefined ? `unknown key; known here: ${known.join(', ')}` : `unknown key; did you mean ${near}?`
}

const logins = () =>
  exchanges.flatMap(({ settings: { login } }) => (login ? [`${login.id} and ${login.secret}`] : [])).join(', or ')

/** The keys that a mapping of the document may have. */
function knownKeys(path: readonly PropertyKey[], values: unknown): string[] {
  let schema: core.$ZodType | undefined = configFile
  let value = values
  for (const key of path) {
    const inner = unwrap(schema)
    schema = inner instanceof z.ZodArray ? inner.element : shapeOf(schema, value)[String(key)]
    value = memberOf(value, key)
  }
  return Object.keys(shapeOf(schema, value))
}

/** The known word that `word` was probably meant to be. */
function nearest(word: string, known: string[]): string | undefined {
  if (known.length === 0) return undefined
  const near = closest(
    word.toLowerCase(),
    known.map(name => name.toLowerCase()),
  )
  const close = distance(word.toLowerCase(), near) <= Math.max(2, word.length / 3)
  return close ? known.find(name => name.toLowerCase() === near) : undefined
}

function nearestValue(issue: core.$ZodIssue): string {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return ''
  const near = nearest(issue.input, issue.values.map(String))
  return near === undefined || issue.values.length === 1 ? '' : `; did you mean ${near}?`
}

/** A union's complaint is about the key that distinguishes its options, and carries the whole mapping. */
function inputOf(issue: core.$ZodIssue): unknown {
  return issue.code === 'invalid_union' && issue.discriminator !== undefined
    ? memberOf(issue.input, issue.discriminator)
    : issue.input
}

function found(input: unknown): string {
  if (input === undefined || input === null) return 'nothing'
  if (typeof input === 'number') return String(input)
  // An address may hold a login, and what is complained of is shown to others.
  return JSON.stringify(typeof input === 'string' && input.includes('://') ? shownUrl(input) : input)
}

const kinds: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list such as [a, b]',
  object: 'keys with values',
}

function wanted(issue: core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`
    case 'invalid_type':
      return kinds[issue.expected] ?? issue.expected
    case 'too_small':
      return `${unitOf(issue.origin)(issue.minimum)} or more`
    case 'too_big':
      return `${unitOf(issue.origin)(issue.maximum)} or less`
    case 'invalid_union':
      return 'options' in issue
        ? `one of ${issue.options.filter(option => option !== undefined).join(', ')}`
        : issue.message
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message
    case 'invalid_format':
      return issue.format === 'url' ? 'a URL starting with ws:// or wss://' : issue.message
    default:
      return issue.message
  }
}

function unitOf(origin: string): (bound: number | bigint) => string {
  const noun = { array: 'item', string: 'character' }[origin]
  return bound => (noun === undefined ? String(bound) : `${bound} ${noun}${Number(bound) === 1 ? '' : 's'}`)
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
    } else if (isSeq(node)) {
      const item = node.items[Number(key)]
      if (isNode(item) && item.range) offset = item.range[0]
      node = item
    } else break
  }
  return lines.linePos(offset).line
}

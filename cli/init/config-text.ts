import { Document, isMap, isScalar } from 'yaml'
import { configKeys } from '../../config/keys.js'

/** Values as they stand in a config file. */
export interface ConfigValues {
  [key: string]: ConfigValues | string | number | boolean | readonly (string | number)[]
}

const COMMENT_WIDTH = 100

const HEAD = `A config of edgetape. All that is not said here has its default; \`edgetape help config\` lists every key,
config/edgetape.example.yaml has all of them with their defaults. Credentials are never in here: DERIBIT_CLIENT_ID and
DERIBIT_CLIENT_SECRET (or DERIBIT_CLIENT_SECRET_FILE) come from the environment.`

/** The text of a config file: each key with what it means, in the words of the schema. Pure. */
export function configText(values: ConfigValues): string {
  const document = new Document(values)
  document.commentBefore = commentOf(HEAD)
  const meanings = new Map(configKeys().map(({ key, meaning }) => [key, meaning]))
  comment(document.contents, '', meanings)
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

function comment(node: unknown, prefix: string, meanings: ReadonlyMap<string, string>): void {
  if (!isMap(node)) return
  for (const [index, { key, value }] of node.items.entries()) {
    if (!isScalar(key)) continue
    key.spaceBefore = index > 0 && (prefix === '' || isMap(value))
    const path = prefix + String(key.value)
    const meaning = meanings.get(path)
    if (meaning !== undefined) key.commentBefore = commentOf(wrapped(meaning))
    if (value !== null && typeof value === 'object' && 'items' in value && !isMap(value) && 'flow' in value)
      value.flow = true
    comment(value, `${path}.`, meanings)
  }
}

const commentOf = (text: string) => text.replace(/^/gm, ' ')

function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > COMMENT_WIDTH) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join('\n')
}

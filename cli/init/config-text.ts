import { Document, isMap, isScalar } from 'yaml'
import { configKeys } from '../../config/keys.js'
import { fileOf } from '../../config/secrets.js'
import type { ConfigValues, Login } from '../../exchanges/settings.js'
import { login } from './answers.js'

const COMMENT_WIDTH = 100

const HEAD = `A config of edgetape. All that is not said here has its default; \`edgetape help config\` lists every key,
config/edgetape.example.yaml has all of them with their defaults.`

/** Where credentials come from, on lines of the head's width. */
const loginText = ({ id, secret }: Login) =>
  ` Credentials are never in here: ${id} and
${secret} (or ${fileOf(secret)}) come from the environment.`

/** The text of a config file: each key with what it means, in the words of the schema. Pure. */
export function configText(values: ConfigValues): string {
  const document = new Document(values)
  document.commentBefore = commentOf(login ? HEAD + loginText(login) : HEAD)
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

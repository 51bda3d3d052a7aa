import { Document, isMap, isScalar, isSeq } from 'yaml'
import { configKeys, exchangeKeys, type ConfigKey } from './keys.js'
import { fileOf } from './secrets.js'
import type { Login } from '../exchanges/settings.js'
import { chosenOf, valuesOf, type Answers } from './answers.js'
import { wrapped } from '../platform/wrapped.js'

const COMMENT_WIDTH = 100

const HEAD = `A config of edgetape. All that is not said here has its default; \`edgetape help config\` lists every key,
config/edgetape.example.yaml has all of them with their defaults.`

/** Where credentials come from, on lines of the head's width. */
const loginText = ({ id, secret }: Login) =>
  ` Credentials are never in here: ${id} and
${secret} (or ${fileOf(secret)}) come from the environment.`

/** The text of a config file as it was answered: each key with what it means, in the words of the schema. Pure. */
export function configText(answers: Answers): string {
  const document = new Document(valuesOf(answers))
  const logins = chosenOf(answers).flatMap(({ settings: { login } }) => (login ? [loginText(login)] : []))
  document.commentBefore = commentOf([HEAD, ...logins].join(''))
  comment(document.contents, '', meaningsOf(configKeys()))
  return document.toString({ lineWidth: 0, flowCollectionPadding: false })
}

const meaningsOf = (keys: readonly ConfigKey[]) => new Map(keys.map(({ key, meaning }) => [key, meaning]))

function comment(node: unknown, prefix: string, meanings: ReadonlyMap<string, string>): void {
  if (!isMap(node)) return
  const adapter = prefix === 'exchange.' ? String(node.get('name')) : undefined
  const known = adapter === undefined ? meanings : meaningsOf(exchangeKeys(adapter))
  for (const [index, { key, value }] of node.items.entries()) {
    if (!isScalar(key)) continue
    key.spaceBefore = index > 0 && (prefix === '' || isMap(value))
    const path = prefix + String(key.value)
    const meaning = known.get(path)
    if (meaning !== undefined) key.commentBefore = commentOf(wrapped(meaning, '', '', COMMENT_WIDTH))
    if (isSeq(value) && value.items.some(isMap)) for (const item of value.items) comment(item, 'exchange.', meanings)
    else if (isSeq(value)) value.flow = true
    comment(value, `${path}.`, meanings)
  }
}

const commentOf = (text: string) => text.replace(/^/gm, ' ')

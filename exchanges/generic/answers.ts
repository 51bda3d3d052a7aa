import type { GenericConfig } from './config.js'
import { find, parsePointer, textAt, type Pointer } from './json-pointer.js'

/** Far ends put an id or a time into their pings; more than this is filled in nowhere. */
const FILLED_BYTES_MAX = 256

interface Rule {
  at: Pointer
  is: string | undefined
  send: string
}

/** Answers to what the far end asks of us, its own pings above all. */
export class Answers {
  readonly #rules: readonly Rule[]

  constructor(rules: GenericConfig['answers']) {
    this.#rules = rules.map(({ at, is, send }) => ({ at: parsePointer(at), is, send: messageText(send) }))
  }

  /** What a frame is to be answered with; undefined for frames that ask nothing. */
  to(frame: Buffer): string | undefined {
    for (const { at, is, send } of this.#rules) {
      const text = textAt(frame, at, FILLED_BYTES_MAX)
      if (text === undefined || (is !== undefined && text !== is)) continue
      return fill(send, frame)
    }
    return undefined
  }
}

/** A message as it is sent: text as it is, anything else as JSON. */
export function messageText(message: unknown): string {
  return typeof message === 'string' ? message : JSON.stringify(message)
}

/**
 * Puts what the frame has at `{{/pointer}}` there, as the frame spells it. In quotes, `"{{/id}}"` takes its place with
 * the quotes, so that a number stays a number.
 */
function fill(template: string, frame: Buffer): string {
  return template.replace(/"\{\{(\/[^{}]*)\}\}"|\{\{(\/[^{}]*)\}\}/g, (_all, quoted: string | undefined, bare = '') => {
    const span = find(frame, parsePointer(quoted ?? String(bare)))
    return span && span.to - span.from <= FILLED_BYTES_MAX ? frame.toString('utf8', span.from, span.to) : 'null'
  })
}

import type { Json, JsonObject } from '../../../simulator/json.js'
import { spellFloat, type Spelling } from './number-spelling.js'

/** Numbers under these keys are whole on the wire in every spelling; all other numbers are floats. */
const WHOLE_KEYS = new Set([
  'timestamp',
  'trade_seq',
  'tick_direction',
  'change_id',
  'prev_change_id',
  'instrument_id',
  'index_id',
  'creation_timestamp',
  'expiration_timestamp',
  'state_timestamp',
  'publication_timestamp',
  'max_leverage',
  'lot_size',
  'block_trade_min_trade_amount',
  'block_trade_leg_count',
  'block_rfq_id',
  'tick',
  'ticks',
  'seconds',
  'left_ticks',
  'total_ticks',
  'records_total',
  'decimals',
  'ratio',
  'id',
  'expires_in',
  'min_confirmations',
])

/** JSON text of `value`, keys in the order they were set, floats spelled as asked for. */
export function encode(value: Json, spelling: Spelling, whole = false): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value)
    case 'number':
      return whole ? String(value) : spellFloat(value, spelling)
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      if (value === null) return 'null'
      return isArray(value) ? encodeArray(value, spelling, whole) : encodeObject(value, spelling)
  }
}

function encodeArray(values: readonly Json[], spelling: Spelling, whole: boolean): string {
  let text = '['
  for (let index = 0; index < values.length; index++) {
    if (index > 0) text += ','
    text += encode(values[index] ?? null, spelling, whole)
  }
  return `${text}]`
}

/** How a key is written, and whether its number is whole; keys are few and come again and again. */
const heads = new Map<string, { text: string; whole: boolean }>()
/** Bound of that memory, should keys ever come from outside. */
const MAX_HEADS = 2_000

function headOf(key: string): { text: string; whole: boolean } {
  let head = heads.get(key)
  if (!head) {
    head = { text: `${JSON.stringify(key)}:`, whole: WHOLE_KEYS.has(key) }
    if (heads.size < MAX_HEADS) heads.set(key, head)
  }
  return head
}

function encodeObject(object: JsonObject, spelling: Spelling): string {
  let text = '{'
  for (const key in object) {
    const head = headOf(key)
    text += text.length > 1 ? `,${head.text}` : head.text
    text += encode(object[key] ?? null, spelling, head.whole)
  }
  return `${text}}`
}

/** Array.isArray that also narrows readonly arrays. */
function isArray(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

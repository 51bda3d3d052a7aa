import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { normalizedFolder, normalizedViews, type NormalizedView } from '../../exchanges/normalized.js'
import { exchanges } from '../../exchanges/registry.js'
import { packageRoot } from '../../platform/package-info.js'
import { sqlName } from '../../platform/duckdb.js'

/** A table of one exchange, `FROM <exchange>.trades`: its own columns alone. */
export interface OwnTable {
  exchange: string
  table: string
}

const NAMES = exchanges.map(({ name }) => name)
const OWN_TABLE = new RegExp(`\\b(${NAMES.join('|')})"?\\s*\\.\\s*"?(\\w+)`, 'gi')

/** The tables of single exchanges that a text of SQL names. */
export function ownTablesIn(sql: string): OwnTable[] {
  const found = [...sql.matchAll(OWN_TABLE)].map(([, exchange = '', table = '']) => ({
    exchange: exchange.toLowerCase(),
    table: table.toLowerCase(),
  }))
  return [...new Map(found.map(own => [`${own.exchange}.${own.table}`, own])).values()]
}

/** The views over all exchanges that a text of SQL names. */
export function normalizedIn(sql: string): NormalizedView[] {
  const words = new Set((sql.match(/\w+/g) ?? []).map(word => word.toLowerCase()))
  return normalizedViews.filter(({ name }) => words.has(name))
}

/** An exchange's query for a view; undefined where it has none. */
export function partOf(view: NormalizedView, exchange: string): string | undefined {
  return textOf(exchange, view.name)?.replace(/^ *--.*\n/gm, '')
}

/** Macros that an exchange's queries are written with. */
export const sharedPart = (exchange: string) => textOf(exchange, '_shared') ?? ''

/** One view over the rows of these exchanges, with its columns and types whatever they say. */
export function normalizedSql(view: NormalizedView, of: readonly string[]): string {
  const empty = `SELECT ${view.columns.map(({ name, type }) => `NULL::${type} AS ${sqlName(name)}`).join(', ')} WHERE false`
  const parts = [empty, ...of.flatMap(exchange => partOf(view, exchange) ?? [])]
  return `CREATE OR REPLACE VIEW ${sqlName(view.name)} AS ${parts.map(part => `(${part})`).join('\nUNION ALL BY NAME ')}`
}

function textOf(exchange: string, name: string): string | undefined {
  const path = join(packageRoot, normalizedFolder(exchange), `${name}.sql`)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

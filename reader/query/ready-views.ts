import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exchanges } from '../../exchanges/registry.js'
import { sqlText } from '../../platform/duckdb.js'
import { packageRoot } from '../../platform/package-info.js'

/** A macro that answers a question from the tables. Its file opens with the question, an example and its columns. */
export interface ReadyView {
  name: string
  question: string
  /** A query. */
  example: string
  /** What may be said in brackets. */
  parameters: string
  columns: { names: string; meaning: string }[]
  /** Why the example may answer nothing though there are data. */
  mayBeEmpty: string | undefined
  sql: string
}

/** Of whatever exchange, then what each exchange knows of its own tables and names. */
const FOLDERS = ['reader/query/views', ...exchanges.flatMap(({ viewsFolder }) => viewsFolder ?? [])]
const SHARED = '_shared.sql'
/** Files that begin so are no questions of their own. */
const HELPER = '_'

const textOf = (folder: string, file: string) => readFileSync(join(packageRoot, folder, file), 'utf8')
const filesIn = (folder: string) => readdirSync(join(packageRoot, folder))

/** Macros that all ready views are written with. */
export function sharedSql(): string {
  return FOLDERS.filter(folder => filesIn(folder).includes(SHARED))
    .map(folder => textOf(folder, SHARED))
    .join('\n')
}

/** The relation `gaps` for those who have the Parquet files alone. */
export function gapsSql(exchanges: readonly string[]): string {
  const named = exchanges.map(name => `(${sqlText(name)})`)
  return textOf('reader/query/views', '_gaps.sql').replace('VALUES EXCHANGES', `VALUES ${named.join(', ')}`)
}

/** All of them, each behind those that it asks. */
export function viewsInOrder(): ReadyView[] {
  const views = readyViews()
  return namedIn(views.map(({ name }) => `${name}(`).join(' '), views, []).views
}

/** All of them, by name. */
export function readyViews(): ReadyView[] {
  return FOLDERS.flatMap(folder =>
    filesIn(folder)
      .filter(file => !file.startsWith(HELPER))
      .map(file => parseReadyView(file.replace(/\.sql$/, ''), textOf(folder, file))),
  ).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** @throws TypeError a file without a header */
function parseReadyView(name: string, text: string): ReadyView {
  const lines = (key: string) =>
    [...text.matchAll(new RegExp(`^-- ${key}:? ?(.*)$`, 'gm'))].map(([, value = '']) => value)
  const one = (key: string) => {
    const [value] = lines(key)
    if (value === undefined) throw new TypeError(`${name}.sql says no ${key}`)
    return value
  }
  const columns = lines('Column').map(line => {
    const [names = '', ...meaning] = line.split(': ')
    return { names, meaning: meaning.join(': ') }
  })
  const sql = text.replace(/^ *--.*\n/gm, '')
  const [mayBeEmpty] = lines('Empty')
  const said = { question: one('Question'), example: one('Example'), parameters: one('Parameters') }
  return { name, ...said, columns, mayBeEmpty, sql }
}

/** All names in a text of SQL, and what else is spelled like one. */
const wordsOf = (sql: string) => new Set((sql.match(/\w+/g) ?? []).map(word => word.toLowerCase()))

/**
 * Which ready views and tables a statement may need: those that it names, and those that these name. Views come before
 * those that ask them.
 */
export function namedIn(sql: string, views: readonly ReadyView[], tables: readonly string[]) {
  const found: ReadyView[] = []
  const look = (text: string) => {
    for (const view of views) {
      if (found.includes(view) || !new RegExp(`\\b${view.name}\\s*\\(`, 'i').test(text)) continue
      look(view.sql.replace(/^CREATE.*$/gm, ''))
      found.push(view)
    }
  }
  look(sql)
  const words = wordsOf([sql, ...found.map(view => view.sql)].join('\n'))
  return { views: found, tables: tables.filter(name => words.has(name)) }
}

import type { DuckDBConnection } from '@duckdb/node-api'
import { isJsonObject, type JsonObject } from '../../platform/json-object.js'
import { sqlText } from '../../platform/duckdb.js'
import { messageOf } from '../../platform/edge-error.js'

/**
 * Which days' files a statement can need of each table: found before a view is made, since a view of all days opens the
 * files of all days. DuckDB's own parser reads the statement; what it says of `date` in a WHERE counts, with constants or
 * parameters of ready views. Of the relation `gaps`, of which each row is of one day, what it says of `from_ts` and `to_ts`
 * counts. Whatever is not understood asks for all days.
 */

/** Days, `YYYY-MM-DD`, both included. */
export interface Days {
  first: string
  last: string
  /** Rows of these alone are asked for; undefined: of all. */
  instruments?: readonly string[]
  /** Rows received at this time or later alone are asked for, µs since the epoch; undefined: of all. */
  fromUs?: number
}

/** The account of each day as a relation, whether or not it was written as a table. */
export const GAPS = 'gaps'

export const ALL_DAYS: Days = { first: '0000-00-00', last: '9999-99-99' }

/** A query with parameters that a statement may call. */
export interface CalledQuery {
  name: string
  /** `CREATE OR REPLACE MACRO name(parameters) AS TABLE query`. */
  sql: string
}

/** Members of what DuckDB's parser made. */
type Node = JsonObject
/** What stands for a parameter. */
type Bindings = ReadonlyMap<string, Node>

const nodesOf = (value: unknown): Node[] =>
  Array.isArray(value) ? value.filter(isJsonObject) : isJsonObject(value) ? [value] : []
const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const NO_BINDINGS: Bindings = new Map()
const CALLS_DEPTH_MAX = 8

/**
 * The days of each table that a statement names, by its name in lower case, `<exchange>.trades` where it names one;
 * undefined where the statement cannot be read, such as one that changes something.
 */
export async function daysAsked(
  connection: DuckDBConnection,
  sql: string,
  called: readonly CalledQuery[],
): Promise<Map<string, Days> | undefined> {
  const parsed = await parsedSql(connection, sql)
  if (!parsed) return undefined
  const finder = new DaysFinder(connection, called)
  await finder.look(parsed, NO_BINDINGS)
  return finder.found
}

/** SQL as DuckDB's parser sees it, in JSON. */
async function serializedSql(connection: DuckDBConnection, sql: string): Promise<string> {
  const answer = await connection.runAndReadAll(`SELECT json_serialize_sql(${sqlText(sql)})`)
  return String(answer.getRows()[0]?.[0])
}

/** Of texts of ours, which each statement meets again. */
const ownSql = new Map<string, string>()

/** The same of a text of ours, which are few. */
async function serializedOwn(connection: DuckDBConnection, sql: string): Promise<string> {
  const serialized = ownSql.get(sql) ?? (await serializedSql(connection, sql))
  ownSql.set(sql, serialized)
  return serialized
}

/** Undefined for what is no query. */
async function parsedSql(
  connection: DuckDBConnection,
  sql: string,
  serialized = serializedSql,
): Promise<Node[] | undefined> {
  const text = sql.trim().replace(/;$/, '')
  const parsed: unknown = JSON.parse(await serialized(connection, text))
  if (!isJsonObject(parsed) || parsed['error'] !== false) return undefined
  return nodesOf(parsed['statements'])
}

class DaysFinder {
  readonly #connection: DuckDBConnection
  readonly #called: ReadonlyMap<string, CalledQuery>
  readonly found = new Map<string, Days>()

  constructor(connection: DuckDBConnection, called: readonly CalledQuery[]) {
    this.#connection = connection
    this.#called = new Map(called.map(query => [query.name.toLowerCase(), query]))
  }

  async look(nodes: unknown, bindings: Bindings, depth = 0): Promise<void> {
    await this.#visit(nodes, bindings, new Map(), depth)
  }

  async #visit(value: unknown, bindings: Bindings, days: Map<Node, Days>, depth: number): Promise<void> {
    if (Array.isArray(value)) {
      for (const each of value) await this.#visit(each, bindings, days, depth)
      return
    }
    if (!isJsonObject(value)) return
    if (value['type'] === 'SELECT_NODE') await this.#noteDays(value, bindings, days)
    if (value['type'] === 'BASE_TABLE') this.#ask(value, days.get(value) ?? ALL_DAYS)
    if (value['type'] === 'TABLE_FUNCTION') await this.#lookIntoCall(value['function'], bindings, depth)
    for (const child of Object.values(value)) await this.#visit(child, bindings, days, depth)
  }

  #ask(table: Node, days: Days): void {
    const schema = textOf(table['schema_name']).toLowerCase()
    const name = textOf(table['table_name']).toLowerCase()
    const key = schema === '' || schema === 'main' ? name : `${schema}.${name}`
    this.found.set(key, union(this.found.get(key), days))
  }

  /** Of each table in its FROM: the days that its WHERE leaves. */
  async #noteDays(select: Node, bindings: Bindings, days: Map<Node, Days>): Promise<void> {
    // A sample is drawn before the WHERE.
    if (isJsonObject(select['sample'])) return
    const tables = tablesJoined(select['from_table'])
    for (const condition of conjuncts(select['where_clause'])) {
      const names = instrumentsIn(condition, bindings)
      for (const table of names ? meantBy(names.of, tables) : [])
        days.set(table, { ...(days.get(table) ?? ALL_DAYS), instruments: names?.names ?? [] })
      const bounds = boundsOf(condition)
      if (!bounds) continue
      if (bounds.isReceived) {
        const fromUs = await this.#earliestUs(bounds.first.map(bound => withBindings(bound, bindings)))
        for (const table of fromUs === undefined ? [] : meantBy(bounds.of, tables)) {
          const before = days.get(table) ?? ALL_DAYS
          days.set(table, { ...before, fromUs: Math.max(before.fromUs ?? -Infinity, fromUs ?? -Infinity) })
        }
        continue
      }
      const meant = meantBy(bounds.of, tables).filter(table => !bounds.isInstant || isGaps(table))
      if (meant.length === 0) continue
      const dayOf = (bound: Node) => this.#dayOf(withBindings(bound, bindings), bounds.isInstant)
      const first = bounds.first.length === 0 ? undefined : await least(bounds.first, dayOf)
      const last = bounds.last.length === 0 ? undefined : await greatest(bounds.last, dayOf)
      for (const table of meant) {
        const before = days.get(table) ?? ALL_DAYS
        days.set(table, {
          ...before,
          first: first !== undefined && first > before.first ? first : before.first,
          last: last !== undefined && last < before.last ? last : before.last,
        })
      }
    }
  }

  /**
   * The day that a constant is, or, of what has a time, those around it: a time zone may move it. As an instant: its day,
   * and the one that it ends where it is midnight. Undefined where it is no constant.
   */
  async #dayOf(expression: Node, isInstant: boolean): Promise<Days | undefined> {
    const literal = isInstant ? undefined : plainDate(expression)
    if (literal !== undefined) return { first: literal, last: literal }
    try {
      const value = await this.#valueSql(expression)
      if (value === undefined) return undefined
      const [own, earliest, latest] = isInstant
        ? [utcDay('v'), utcDay("v::TIMESTAMPTZ - INTERVAL '1 microsecond'"), utcDay('v')]
        : ['v::DATE', 'v::DATE - 1', 'v::DATE + 1']
      const answer = await this.#connection.runAndReadAll(
        `SELECT typeof(v) = 'DATE' AND ${!isInstant}, (${own})::VARCHAR, (${earliest})::VARCHAR, (${latest})::VARCHAR FROM (${value}) AS t(v)`,
      )
      const [isDate, day, before, after] = answer.getRows()[0] ?? []
      if (typeof day !== 'string' || !DATE.test(day)) return undefined
      return isDate === true ? { first: day, last: day } : { first: String(before), last: String(after) }
    } catch (error) {
      // It names a column, or DuckDB cannot work it out: the statement itself will say what is wrong with it.
      if (messageOf(error) === '') throw error
      return undefined
    }
  }

  /** The earliest of some times, µs since the epoch; undefined where one of them is no constant. What is now is later when it is asked again. */
  async #earliestUs(expressions: readonly Node[]): Promise<number | undefined> {
    try {
      let earliest: number | undefined
      for (const expression of expressions) {
        const value = await this.#valueSql(expression)
        if (value === undefined) return undefined
        const answer = await this.#connection.runAndReadAll(`SELECT epoch_us(v::TIMESTAMPTZ) FROM (${value}) AS t(v)`)
        const us = answer.getRows()[0]?.[0]
        if (typeof us !== 'bigint') return undefined
        earliest = Math.min(earliest ?? Infinity, Number(us))
      }
      return earliest
    } catch (error) {
      // It names a column, or DuckDB cannot work it out: the statement itself will say what is wrong with it.
      if (messageOf(error) === '') throw error
      return undefined
    }
  }

  /** A query for the value of an expression; undefined where it asks for rows, or is by chance. */
  async #valueSql(expression: Node): Promise<string | undefined> {
    if (asksTables(expression) || isByChance(expression)) return undefined
    const parsed = await serializedOwn(this.#connection, 'SELECT 1')
    const select = JSON.parse(parsed) as { statements: { node: Record<string, unknown> }[] }
    const node = select.statements[0]?.node
    if (!node) return undefined
    node['select_list'] = [{ ...expression, alias: '' }]
    return `SELECT * FROM json_execute_serialized_sql(${sqlText(JSON.stringify(select, withoutPlace))})`
  }

  async #lookIntoCall(call: unknown, bindings: Bindings, depth: number): Promise<void> {
    if (!isJsonObject(call)) return
    const query = this.#called.get(textOf(call['function_name']).toLowerCase())
    if (!query || depth >= CALLS_DEPTH_MAX) return
    const [, parameters = '', body = ''] = /MACRO\s+\w+\s*\(([^]*?)\)\s+AS\s+TABLE\s+([^]*)$/i.exec(query.sql) ?? []
    const parsed = await parsedSql(this.#connection, body, serializedOwn)
    if (!parsed) return
    await this.look(parsed, await this.#bindingsOf(call, parameters, bindings), depth + 1)
  }

  async #bindingsOf(call: Node, parameters: string, outer: Bindings): Promise<Bindings> {
    const bound = new Map<string, Node>()
    const names: string[] = []
    for (const parameter of parameters.split(/,(?![^(]*\))/)) {
      const [name = '', fallback] = parameter.trim().split(/\s*:=\s*/)
      names.push(name)
      const parsed = fallback === undefined ? undefined : await parsedSql(this.#connection, `SELECT ${fallback}`)
      const [value] = nodesOf(nodesOf(parsed)[0]?.['node']).flatMap(node => nodesOf(node['select_list']))
      if (value) bound.set(name, value)
    }
    for (const [place, given] of nodesOf(call['children']).entries()) {
      const alias = textOf(given['alias']).toLowerCase()
      const name = alias === '' ? names[place] : alias
      if (name !== undefined) bound.set(name, withBindings(given, outer))
    }
    return bound
  }
}

const utcDay = (time: string) => `((${time})::TIMESTAMPTZ AT TIME ZONE 'UTC')::DATE`

/** Undefined where one of them is no constant. */
async function daysOfAll(bounds: readonly Node[], dayOf: (bound: Node) => Promise<Days | undefined>) {
  const found: Days[] = []
  for (const bound of bounds) {
    const days = await dayOf(bound)
    if (!days) return undefined
    found.push(days)
  }
  return found
}

async function least(...asked: Parameters<typeof daysOfAll>): Promise<string | undefined> {
  return (await daysOfAll(...asked))?.map(({ first }) => first).sort()[0]
}

async function greatest(...asked: Parameters<typeof daysOfAll>): Promise<string | undefined> {
  return (await daysOfAll(...asked))
    ?.map(({ last }) => last)
    .sort()
    .at(-1)
}

const DATE = /^\d{4}-\d\d-\d\d$/

/** `'2026-11-22'`, also as a DATE. */
function plainDate(expression: Node): string | undefined {
  const isCast = expression['type'] === 'OPERATOR_CAST' && isJsonObject(expression['child'])
  if (isCast && isJsonObject(expression['cast_type']) && expression['cast_type']['id'] !== 'DATE') return undefined
  const constant = isCast ? expression['child'] : expression
  const value = isJsonObject(constant) && isJsonObject(constant['value']) ? constant['value']['value'] : undefined
  return typeof value === 'string' && DATE.test(value) ? value : undefined
}

/** Where something stands in the text is a number beyond what JSON.parse keeps. */
const withoutPlace = (key: string, value: unknown) => (key === 'query_location' ? 0 : value)

/** Whether it asks for rows, which are not there yet. */
function asksTables(expression: unknown): boolean {
  if (Array.isArray(expression)) return expression.some(asksTables)
  if (!isJsonObject(expression)) return false
  return expression['class'] === 'SUBQUERY' || Object.values(expression).some(asksTables)
}

/** Whether it has another value each time that it is asked. */
function isByChance(expression: unknown): boolean {
  if (Array.isArray(expression)) return expression.some(isByChance)
  if (!isJsonObject(expression)) return false
  return BY_CHANCE.test(textOf(expression['function_name'])) || Object.values(expression).some(isByChance)
}

const BY_CHANCE = /^(?:random|setseed|uuid\w*|gen_random_uuid|nextval|currval)$/i

/** An expression with what parameters stand for in their place. */
function withBindings(expression: Node, bindings: Bindings): Node {
  const names = expression['column_names']
  if (expression['class'] === 'COLUMN_REF' && Array.isArray(names) && names.length === 1) {
    const bound = bindings.get(textOf(names[0]).toLowerCase())
    if (bound) return { ...bound, alias: textOf(expression['alias']) }
  }
  const replace = (value: unknown): unknown =>
    Array.isArray(value) ? value.map(replace) : isJsonObject(value) ? withBindings(value, bindings) : value
  return Object.fromEntries(Object.entries(expression).map(([key, value]) => [key, replace(value)]))
}

/** The tables of a FROM, through its joins: rows of each that its own conditions leave out are in no answer. */
function tablesJoined(from: unknown): Node[] {
  if (!isJsonObject(from)) return []
  if (from['type'] === 'BASE_TABLE') return isJsonObject(from['sample']) ? [] : [from]
  if (from['type'] === 'JOIN') return [...tablesJoined(from['left']), ...tablesJoined(from['right'])]
  return []
}

/** The tables that a column can be of, by the name before it. */
const meantBy = (name: string | undefined, tables: readonly Node[]) =>
  name === undefined ? (tables.length === 1 ? tables : []) : tables.filter(isCalled(name))

const isCalled = (name: string) => (table: Node) =>
  [textOf(table['alias']) || textOf(table['table_name'])].some(own => own.toLowerCase() === name)

const isGaps = (table: Node) => textOf(table['table_name']).toLowerCase() === GAPS

/** Conditions that all must hold. */
function conjuncts(condition: unknown): Node[] {
  if (!isJsonObject(condition)) return []
  if (condition['type'] !== 'CONJUNCTION_AND') return [condition]
  return nodesOf(condition['children']).flatMap(conjuncts)
}

/** What a condition says of a column `date`, or of the times of a row of one day: expressions of which the least, or the greatest, bounds it. */
interface Bounds {
  /** Of which table; undefined where it does not say. */
  of: string | undefined
  /** A time of `gaps`. */
  isInstant: boolean
  /** When a row was received. */
  isReceived: boolean
  first: Node[]
  last: Node[]
}

function boundsOf(condition: Node): Bounds | undefined {
  if (condition['type'] === 'COMPARE_BETWEEN') {
    const date = dateColumn(condition['input'])
    return date && { ...date, first: nodesOf(condition['lower']), last: nodesOf(condition['upper']) }
  }
  if (condition['type'] === 'COMPARE_IN') {
    const [column, ...values] = nodesOf(condition['children'])
    const date = dateColumn(column)
    return date && values.length > 0 ? { ...date, first: values, last: values } : undefined
  }
  const [left, right] = [dateColumn(condition['left']), dateColumn(condition['right'])]
  const date = left ?? right
  if (!date || (left && right)) return undefined
  const bound = nodesOf(left ? condition['right'] : condition['left'])
  switch (left ? textOf(condition['type']) : MIRRORED[textOf(condition['type'])]) {
    case 'COMPARE_EQUAL':
      return { ...date, first: bound, last: bound }
    case 'COMPARE_GREATERTHAN':
    case 'COMPARE_GREATERTHANOREQUALTO':
      return { ...date, first: bound, last: [] }
    case 'COMPARE_LESSTHAN':
    case 'COMPARE_LESSTHANOREQUALTO':
      return { ...date, first: [], last: bound }
    default:
      return undefined
  }
}

const MIRRORED: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: 'COMPARE_EQUAL',
  COMPARE_GREATERTHAN: 'COMPARE_LESSTHAN',
  COMPARE_GREATERTHANOREQUALTO: 'COMPARE_LESSTHANOREQUALTO',
  COMPARE_LESSTHAN: 'COMPARE_GREATERTHAN',
  COMPARE_LESSTHANOREQUALTO: 'COMPARE_GREATERTHANOREQUALTO',
}

function dateColumn(expression: unknown): Pick<Bounds, 'of' | 'isInstant' | 'isReceived'> | undefined {
  const [column, of] = columnIn(expression)
  const isInstant = column === 'from_ts' || column === 'to_ts'
  const isReceived = column === 'recv_ts'
  return isInstant || isReceived || column === 'date' ? { of, isInstant, isReceived } : undefined
}

/** A column's name and what stands before it, in lower case. */
function columnIn(expression: unknown): (string | undefined)[] {
  if (!isJsonObject(expression) || expression['class'] !== 'COLUMN_REF') return []
  const names = Array.isArray(expression['column_names']) ? expression['column_names'].map(textOf) : []
  return [names.at(-1)?.toLowerCase(), names.at(-2)?.toLowerCase()]
}

/** The instruments that `instrument_name = …` or `IN (…)` leaves, with constants. */
function instrumentsIn(condition: Node, bindings: Bindings): { of: string | undefined; names: string[] } | undefined {
  const sides =
    condition['type'] === 'COMPARE_IN'
      ? nodesOf(condition['children'])
      : condition['type'] === 'COMPARE_EQUAL'
        ? [...nodesOf(condition['left']), ...nodesOf(condition['right'])]
        : []
  const place = sides.findIndex(side => columnIn(side)[0] === 'instrument_name')
  // In an IN, the column comes first.
  if (place < 0 || (place > 0 && condition['type'] === 'COMPARE_IN')) return undefined
  const names = sides.filter((_, at) => at !== place).map(side => plainText(withBindings(side, bindings)))
  const known = names.filter(name => name !== undefined)
  return names.length > 0 && known.length === names.length ? { of: columnIn(sides[place])[1], names: known } : undefined
}

/** A constant text. */
function plainText(expression: Node): string | undefined {
  const constant = expression['class'] === 'CONSTANT' ? expression['value'] : undefined
  if (!isJsonObject(constant) || !isJsonObject(constant['type']) || constant['type']['id'] !== 'VARCHAR')
    return undefined
  return typeof constant['value'] === 'string' ? constant['value'] : undefined
}

/** Days that are both of these, and what both ask for of them. */
export function intersection(one: Days, other: Days): Days {
  const fromUs = Math.max(one.fromUs ?? -Infinity, other.fromUs ?? -Infinity)
  return {
    ...one,
    ...other,
    ...(Number.isFinite(fromUs) && { fromUs }),
    first: one.first > other.first ? one.first : other.first,
    last: one.last < other.last ? one.last : other.last,
  }
}

/** All days of both, and the instruments of both where each names some. */
export function union(one: Days | undefined, other: Days): Days {
  if (!one) return other
  const instruments = one.instruments && other.instruments && [...new Set([...one.instruments, ...other.instruments])]
  const fromUs = one.fromUs !== undefined && other.fromUs !== undefined ? Math.min(one.fromUs, other.fromUs) : undefined
  return {
    ...(instruments && { instruments }),
    ...(fromUs !== undefined && { fromUs }),
    first: one.first < other.first ? one.first : other.first,
    last: one.last > other.last ? one.last : other.last,
  }
}

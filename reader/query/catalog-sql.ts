import { resolve } from 'node:path'
import { normalizedViews } from '../../exchanges/normalized.js'
import { normalizedSql, ownTablesIn, partOf, sharedPart, type OwnTable } from './normalized-views.js'
import { columnsOfOwnTable, columnsOfTables } from './relation.js'
import { derivedTables } from '../../coverage/write-tables.js'
import { isParquetNameSql, PARQUET_GLOB } from '../../formats/parquet-path.js'
import { datesIn, parentsOfDays, parquetFiles, parquetTables } from '../../formats/parquet-tree.js'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlName, sqlText } from '../../platform/duckdb.js'
import { knownDays, pathsBetween, type KnownDays } from './days-between.js'
import { gapsSql, readyViews, sharedSql, viewsInOrder } from './ready-views.js'
import { emptySelect, parquetSql, PARTITION_COLUMNS, type Column } from './relation.js'

/** A table as a catalog describes it. */
interface Described {
  name: string
  columns: readonly Column[]
  exchanges: string[]
  /** Days that have a folder. */
  days: KnownDays | undefined
}

/** A table of one exchange alone. */
interface Own extends OwnTable {
  columns: readonly Column[]
  hasFiles: boolean
}

const DIALECTS = { duckdb: duckDbSql, spark: sparkSql, trino: trinoSql } as const

/**
 * SQL that shows the Parquet files below a root as tables, to be run by another program.
 * @param location where that program finds the root; else the root's own path
 * @throws EdgeError CATALOG_DIALECT, QUERY_NO_DATA
 */
export async function catalogSql(root: string, dialect: string, location?: string): Promise<string> {
  const found = Object.entries(DIALECTS).find(([name]) => name === dialect)
  if (!found)
    throw new EdgeError('CATALOG_DIALECT', `found dialect ${dialect}, wanted ${Object.keys(DIALECTS).join(', ')}`)
  if (parquetFiles(root).next().done === true)
    throw new EdgeError('QUERY_NO_DATA', `no Parquet below ${root}`, {
      path: root,
      hint: 'edgetape compact --once makes it from sealed segments',
    })
  const here = parquetTables(root)
  const hasFiles = (table: string) => parquetFiles(root, { table }).next().done === false
  const columns = await columnsOfTables()
  if (dialect === 'duckdb') for (const { name, columns: own } of derivedTables) columns.set(name, named(own))
  const tables = [...columns].map(([name, columns]) => ({
    name,
    columns,
    exchanges: hasFiles(name) ? (here.get(name) ?? []) : [],
    days: dialect === 'duckdb' ? daysOf(root, name) : undefined,
  }))
  const head = `-- Views over Parquet files that edgetape wrote, below ${location ?? resolve(root)}.`
  const [, sql] = found
  const shown = (location ?? resolve(root)).replace(/\/$/, '')
  const own = dialect === 'duckdb' ? await ownTables([...new Set([...here.values()].flat())], here) : []
  return `${head}\n${sql(tables, shown, knownDays(datesIn(root, ['superseded'])), own)}`
}

/** By names of folders alone. */
function daysOf(root: string, table: string): KnownDays | undefined {
  return knownDays(
    datesIn(
      root,
      parentsOfDays(root, name => name === table),
    ),
  )
}

const named = (columns: (typeof derivedTables)[number]['columns']) => columns.map(([name, type]) => ({ name, type }))

/** Tables of single exchanges, of which the views over all are made, and which ready views ask. */
async function ownTables(exchanges: readonly string[], here: ReadonlyMap<string, readonly string[]>): Promise<Own[]> {
  const parts = normalizedViews.flatMap(view => exchanges.flatMap(exchange => partOf(view, exchange) ?? []))
  const views = readyViews().map(({ sql }) => sql)
  const named = ownTablesIn([...parts, ...views].join('\n')).filter(({ exchange }) => exchanges.includes(exchange))
  const own: Own[] = []
  for (const one of named) {
    const columns = await columnsOfOwnTable(one.exchange, one.table)
    own.push({ ...one, columns, hasFiles: here.get(one.table)?.includes(one.exchange) === true })
  }
  return own
}

function normalizedCatalog(own: readonly Own[], location: string, superseded: KnownDays | undefined): string[] {
  const exchanges = [...new Set(own.map(({ exchange }) => exchange))]
  const views = own.map(({ exchange, table, columns, hasFiles }) => {
    const empty = emptySelect(columns)
    const select = hasFiles
      ? `(${selectOfAll(globOf(location, table, exchange), location, superseded)}) UNION ALL BY NAME (${empty})`
      : empty
    return `CREATE OR REPLACE VIEW ${sqlName(exchange)}.${sqlName(table)} AS ${select};`
  })
  return [
    ...exchanges.map(exchange => `CREATE SCHEMA IF NOT EXISTS ${sqlName(exchange)};`),
    ...views,
    ...exchanges.map(sharedPart),
    ...normalizedViews.map(view => `${normalizedSql(view, exchanges)};`),
  ]
}

const partitionsOf = (location: string, table: string, exchange = '*') =>
  `${asPattern(location)}/parquet/exchange=${exchange}/table=${table}/kind=*/currency=*`

const globOf = (location: string, table: string, exchange = '*') =>
  sqlText(`${partitionsOf(location, table, exchange)}/date=*/${PARQUET_GLOB}`)

function duckDbSql(
  tables: readonly Described[],
  location: string,
  superseded: KnownDays | undefined,
  own: readonly Own[],
): string {
  const views = tables.map(({ name, columns, exchanges }) => {
    const select =
      exchanges.length === 0 ? emptySelect(columns) : selectOfAll(globOf(location, name), location, superseded)
    return `CREATE OR REPLACE VIEW "${name}" AS ${select};`
  })
  const between = tables.flatMap(({ name, days }) => {
    if (!days) return []
    const select = selectBetween(name, days, location, superseded)
    return `CREATE OR REPLACE MACRO ${sqlName(`${name}_between`)}(first_date, last_date) AS TABLE ${select};`
  })
  const exchanges = [...new Set(tables.flatMap(({ exchanges }) => exchanges))]
  const macros = viewsInOrder().map(({ question, example, sql }) => `-- ${question}\n-- ${example};\n${sql}`)
  return [
    "-- Times are UTC: SET TimeZone = 'UTC'; for Python, pip install pytz. What is only in raw yet: edgetape query.",
    "SET TimeZone = 'UTC';",
    ...views,
    '-- The same, of the days from the first to the last alone: the files of no other day are listed or opened.',
    ...between,
    ...normalizedCatalog(own, location, superseded),
    sharedSql(),
    gapsSql(exchanges),
    ...macros,
  ].join('\n\n')
}

/** Files that others replaced are left out where these are there, too; the list of them grows. */
function selectOfAll(glob: string, location: string, superseded: KnownDays | undefined): string {
  if (!superseded) return oursAmong(glob)
  return withoutSuperseded(
    glob,
    location,
    sqlText(`${supersededIn(location)}/date=*/${SUPERSEDED_GLOB}`),
    `glob(${glob})`,
  )
}

const FIRST_DATE = 'first_date'
const LAST_DATE = 'last_date'

/** The same for a macro with two dates. */
function selectBetween(table: string, days: KnownDays, location: string, superseded: KnownDays | undefined): string {
  const paths = pathsBetween(partitionsOf(location, table), PARQUET_GLOB, FIRST_DATE, LAST_DATE, days)
  const within = `SELECT * FROM (%) WHERE "date" BETWEEN ${FIRST_DATE}::DATE AND ${LAST_DATE}::DATE`
  if (!superseded) return within.replace('%', () => oursAmong(paths))
  const lists = pathsBetween(supersededIn(location), SUPERSEDED_GLOB, FIRST_DATE, LAST_DATE, superseded)
  const here = `(SELECT DISTINCT filename AS file FROM read_parquet(${paths}, union_by_name = true, filename = true))`
  return within.replace('%', () => withoutSuperseded(paths, location, lists, here))
}

const SUPERSEDED_GLOB = 'superseded-*.jsonl'
const supersededIn = (location: string) => `${asPattern(location)}/superseded`

/** Copies that a NAS made of a file under another name would count twice. */
const oursAmong = (paths: string) => `SELECT * EXCLUDE (filename) FROM (${parquetSql(paths, ', filename = true')})
  WHERE ${isParquetNameSql('filename')}`

/** @param here a relation of the files that are there, as `file` */
function withoutSuperseded(paths: string, location: string, lists: string, here: string): string {
  return `${oursAmong(paths)}
  AND filename NOT IN (
    SELECT ${sqlText(`${location}/`)} || path
    FROM (SELECT path, unnest("by") AS other, len("by") AS others
      FROM read_json(${lists}, columns = {path: 'VARCHAR', "by": 'VARCHAR[]'}))
    JOIN ${here} ON file = ${sqlText(`${location}/`)} || other
    GROUP BY path, others HAVING count(DISTINCT other) = others
  )`
}

/**
 * A path as a pattern that finds this path alone.
 * @throws EdgeError CATALOG_PATH
 */
function asPattern(location: string): string {
  if (location.includes('://')) return location
  if (!location.includes('\\')) return location.replace(/[*?[]/g, '[$&]')
  throw new EdgeError('CATALOG_PATH', `found a backslash in ${location}, which no pattern of DuckDB can name`, {
    path: location,
    hint: 'name the folder by a link without one: --location /other/path; edgetape query reads it as it is',
  })
}

const SPARK_TYPES: Readonly<Record<string, string>> = {
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP',
  VARCHAR: 'STRING',
  'VARCHAR[]': 'ARRAY<STRING>',
}

function sparkSql(tables: readonly Described[], location: string): string {
  const views = tables.flatMap(({ name, columns, exchanges }) => {
    if (exchanges.length === 0) return []
    const all = [...columns, ...withTable(PARTITION_COLUMNS)]
    return `CREATE OR REPLACE TEMPORARY VIEW \`${name}\` (
${all.map(({ name, type }) => `  \`${name}\` ${SPARK_TYPES[type] ?? type}`).join(',\n')}
) USING parquet OPTIONS (
  basePath ${sparkText(`${location}/parquet`)},
  path ${sparkText(`${location.replace(/[\\*?[\]{}]/g, '\\$&')}/parquet/exchange=*/table=${name}`)},
  pathGlobFilter '${PARQUET_GLOB}'
);`
  })
  return ['SET spark.sql.session.timeZone=UTC;', ...views].join('\n\n')
}

const sparkText = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

/** What Spark finds in the paths, in their order. */
const withTable = ([exchange, ...others]: readonly Column[]): Column[] => [
  ...(exchange ? [exchange] : []),
  { name: 'table', type: 'VARCHAR' },
  ...others,
]

const TRINO_TYPES: Readonly<Record<string, string>> = {
  // The Hive connector knows no time zone in tables; the values are UTC.
  'TIMESTAMP WITH TIME ZONE': 'timestamp(6)',
  'VARCHAR[]': 'array(varchar)',
}

/** Trino takes no bare path. */
const asUri = (location: string) => (location.startsWith('/') ? `file://${location}` : location)

function trinoSql(tables: readonly Described[], location: string): string {
  const [, ...partitions] = PARTITION_COLUMNS
  const statements = tables.flatMap(({ name, columns, exchanges }) =>
    exchanges.flatMap(exchange => {
      const table = `hive.edgetape_${exchange.replace(/\W/g, '_')}`
      const all = [...columns, ...partitions]
      return [
        `CREATE TABLE IF NOT EXISTS ${table}."${name}" (
${all.map(({ name, type }) => `  "${name}" ${TRINO_TYPES[type] ?? type.toLowerCase()}`).join(',\n')}
) WITH (
  external_location = ${sqlText(`${asUri(location)}/parquet/exchange=${exchange}/table=${name}`)},
  format = 'PARQUET',
  partitioned_by = ARRAY[${partitions.map(({ name }) => `'${name}'`).join(', ')}]
);`,
        `CALL hive.system.sync_partition_metadata('${table.slice('hive.'.length)}', '${name}', 'FULL');`,
      ]
    }),
  )
  const schemas = [...new Set(tables.flatMap(({ exchanges }) => exchanges))].map(
    exchange => `CREATE SCHEMA IF NOT EXISTS hive.edgetape_${exchange.replace(/\W/g, '_')};`,
  )
  return [
    `-- For a catalog "hive" of the Hive connector with hive.timestamp-precision=MICROSECONDS and hive.non-managed-table-writes-enabled=false.
-- New partitions show after the CALL of their table.`,
    ...schemas,
    ...statements,
  ].join('\n\n')
}

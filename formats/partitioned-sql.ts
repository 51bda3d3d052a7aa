import { sqlText } from '../platform/duckdb.js'

export interface PartitionedOptions {
  /** With the column `filename`. */
  filename?: boolean
  /** All files are known to have the same columns: none but those with rows asked for are opened. */
  isUniform?: boolean
  /** SQL type of the column `date`. */
  dateType: 'DATE' | 'VARCHAR'
}

/** What is said of columns that come from folders' names. */
export const hiveTypes = (dateType: PartitionedOptions['dateType']) =>
  `hive_types = {'exchange': VARCHAR, 'table': VARCHAR, 'kind': VARCHAR, 'currency': VARCHAR, 'date': ${dateType}}`

const TREE = '/parquet/exchange='
const USUAL = /^\/parquet\/exchange=[^/]+\/table=[^/]+\/kind=[^/]+\/currency=[^/]+\/date=[^/]+\/[^/]+$/
/** The same with levels that may be missing, for DuckDB; behind whatever stands before the tree. */
const PARTS = String.raw`^.*/parquet/exchange=([^/]+)/table=[^/]+/(?:kind=([^/]+)/)?(?:currency=([^/]+)/)?date=([^/]+)/[^/]+$`

/**
 * A query for the rows of Parquet files of one table, whichever columns they had when they were written, with what their
 * folders say: exchange, kind, currency, date; NULL for a level that is missing.
 * @param paths full ones; each is taken as it is spelled, whatever signs are in it
 */
export function partitionedSql(
  paths: readonly string[],
  { filename = false, isUniform = false, dateType }: PartitionedOptions,
): string {
  const byName = `union_by_name = ${!isUniform}`
  const list = `[${paths.map(sqlText).join(', ')}]`
  if (paths.every(isUsual)) {
    const further = `hive_partitioning = true, ${hiveTypes(dateType)}${filename ? ', filename = true' : ''}`
    return `SELECT * EXCLUDE ("table") FROM read_parquet(${list}, ${byName}, ${further})`
  }
  // DuckDB takes no layouts mixed, and `key=value` in any folder for a partition, those above the tree too.
  const part = (group: number) => `nullif(regexp_extract(filename, ${sqlText(PARTS)}, ${group}), '')`
  return `SELECT * ${filename ? '' : 'EXCLUDE (filename)'}, ${part(1)} AS exchange, ${part(2)} AS kind,
    ${part(3)} AS currency, TRY_CAST(${part(4)} AS ${dateType}) AS "date"
  FROM read_parquet(${list}, ${byName}, hive_partitioning = false, filename = true)`
}

function isUsual(path: string): boolean {
  const at = path.lastIndexOf(TREE)
  return at >= 0 && !path.slice(0, at).includes('=') && USUAL.test(path.slice(at))
}

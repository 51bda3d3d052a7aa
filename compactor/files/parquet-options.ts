import { sqlText } from '../../platform/duckdb.js'
import { version } from '../../platform/package-info.js'
import { SCHEMA_VERSION } from '../tables.js'

/** What every file says about itself. */
export function fileFacts(table: string, rows: number, facts: Record<string, string>): Record<string, string> {
  return { edgetape: version, schema_version: String(SCHEMA_VERSION), table, rows: String(rows), ...facts }
}

/** How every file is written. */
export const parquetOptions = (metadata: Record<string, string>, groupRows: number) =>
  `(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${groupRows}, KV_METADATA ${kvMetadata(metadata)})`

const kvMetadata = (pairs: Record<string, string>) =>
  `{${Object.entries(pairs)
    .map(([key, value]) => `${sqlText(key)}: ${sqlText(value)}`)
    .join(', ')}}`

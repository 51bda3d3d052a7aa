import { createHash } from 'node:crypto'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import type { Column } from '../query/relation.js'
import type { FinishedFile } from './finished-files.js'

/** Delta's names of types. */
const TYPES: Readonly<Record<string, unknown>> = {
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  VARCHAR: 'string',
  DOUBLE: 'double',
  BIGINT: 'long',
  INTEGER: 'integer',
  BOOLEAN: 'boolean',
  DATE: 'date',
  'VARCHAR[]': { type: 'array', elementType: 'string', containsNull: true },
}
const PARTITIONS = ['kind', 'currency', 'date'] as const

/**
 * The first version of a Delta table's log, which names its files where they are and copies none. The same files make the
 * same text. Pure.
 * @param location where readers find the root: a path, or a URI such as `s3://bucket/edgetape`
 */
export function deltaLog(columns: readonly Column[], files: readonly FinishedFile[], location: string): string {
  const fields = [...columns.filter(({ name }) => !PARTITIONS.some(one => one === name)), ...PARTITION_COLUMNS].map(
    ({ name, type }) => ({ name, type: TYPES[type] ?? 'string', nullable: true, metadata: {} }),
  )
  const id = createHash('sha256').update(JSON.stringify(files)).digest('hex')
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20, 32)].join('-')
  const lines = [
    { protocol: { minReaderVersion: 1, minWriterVersion: 2 } },
    {
      metaData: {
        id: uuid,
        format: { provider: 'parquet', options: {} },
        schemaString: JSON.stringify({ type: 'struct', fields }),
        partitionColumns: PARTITIONS,
        configuration: { 'delta.appendOnly': 'true' },
        createdTime: 0,
      },
    },
    ...files.map(({ path, kind, currency, date, bytes }) => ({
      add: {
        path: uriOf(location, path),
        partitionValues: { kind, currency, date },
        size: bytes,
        modificationTime: Date.parse(date),
        dataChange: true,
      },
    })),
  ]
  return lines.map(line => `${JSON.stringify(line)}\n`).join('')
}

const PARTITION_COLUMNS: readonly Column[] = [
  { name: 'kind', type: 'VARCHAR' },
  { name: 'currency', type: 'VARCHAR' },
  { name: 'date', type: 'DATE' },
]

const uriOf = (location: string, path: string) =>
  location.includes('://') ? `${location.replace(/\/$/, '')}/${path}` : pathToFileURL(join(location, path)).href

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from '../../platform/zod.js'
import type { Exchange } from '../../exchanges/exchange.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { HOST_SQL } from '../../formats/parquet-path.js'
import { parquetFiles } from '../../formats/parquet-tree.js'
import type { RawSegment } from '../../formats/raw-tree.js'
import { knownManifest } from './known-manifest.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import type { Span } from '../../platform/spans.js'
import { datesOf, ParquetReader } from '../parquet-reader.js'
import type { Claim } from './claims.js'

/** Recorders of which a journal says what they subscribed. */
export function journalledHosts(entries: readonly JournalEntry[]): ReadonlySet<string> {
  const subscriptions = entries.filter(({ event }) => event === 'subscribed' || event === 'subscriptions')
  return new Set(subscriptions.map(({ host }) => host))
}

/** What manifests of segments say of recorders without a journal. */
export function claimsOfSegments(root: string, files: readonly RawSegment[], journalled: ReadonlySet<string>): Claim[] {
  return files.flatMap(({ path, name: { host, channel: family, kind, currency } }): Claim[] => {
    const manifest = journalled.has(host) ? undefined : knownManifest(join(root, path))
    if (!manifest || manifest.frames === 0) return []
    const { first_recv_us: fromUs, last_recv_us: lastUs } = manifest
    return [{ host, family, kind, currency, fromUs, toUs: lastUs + 1 }]
  })
}

const us = z.union([z.bigint(), z.number()]).transform(Number)
const name = z
  .string()
  .nullable()
  .transform(text => text ?? undefined)
const rowSchema = z.object({ host: z.string(), kind: name, currency: name, from_us: us, last_us: us })
const columnSchema = z.object({ column_name: z.string() })

/**
 * What tables say of recorders without a journal: receive times of their rows, of the days asked for.
 * @returns with the files that are no whole Parquet files
 * @throws EdgeError PARQUET_UNREADABLE
 */
export async function claimsOfTables(
  root: string,
  { name: exchange, families }: Pick<Exchange, 'name' | 'families'>,
  span: Span,
  journalled: ReadonlySet<string>,
): Promise<{ claims: Claim[]; torn: readonly string[] }> {
  const dates = datesOf(span)
  const others = [...parquetFiles(root, { exchange, dates })].filter(({ name: { host } }) => !journalled.has(host))
  if (others.length === 0 || !existsSync(join(root, 'parquet'))) return { claims: [], torn: [] }
  const connection = await openDuckDb()
  try {
    const tables = new ParquetReader(connection, root)
    const claims: Claim[] = []
    for (const table of new Set(others.map(({ folder }) => folder.table))) {
      const family = families.find(one => (one.table ?? one.name) === table && one.comes !== 'own')?.name
      const source = family === undefined ? undefined : tables.source(table, { dates })
      if (family === undefined || source === undefined) continue
      const columns = await tables.columns(source, columnSchema)
      if (!columns.has('recv_ts')) continue
      const rows = await tables.rows(
        `SELECT ${HOST_SQL} AS host, kind, currency, epoch_us(min(recv_ts)) AS from_us, epoch_us(max(recv_ts)) AS last_us
        FROM ${source} WHERE exchange = ${sqlText(exchange)} GROUP BY filename, kind, currency`,
        rowSchema,
      )
      for (const { host, kind, currency, from_us: fromUs, last_us: lastUs } of rows)
        if (!journalled.has(host)) claims.push({ host, family, kind, currency, fromUs, toUs: lastUs + 1 })
    }
    return { claims, torn: tables.torn }
  } finally {
    connection.closeSync()
  }
}

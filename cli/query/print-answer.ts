import { extname } from 'node:path'
import type { Writable } from 'node:stream'
import type { DuckDBConnection } from '@duckdb/node-api'
import { EdgeError } from '../../platform/edge-error.js'
import { sqlText } from '../../platform/duckdb.js'
import { writeLines, writeLinesTo, writeWhole } from '../output.js'
import { tableOf } from './answer-table.js'
import { withStatementBar } from './statement-bar.js'
import { csvRows, jsonRows } from '../../reader/query/rows.js'
import type { QuerySession } from '../../reader/query/session.js'

export const FORMATS = ['table', 'csv', 'json', 'parquet'] as const
export type Format = (typeof FORMATS)[number]

/** The format that was asked for, else the one that the name of the file says, else a table. */
export function formatOf(wanted: string | undefined, out: string | undefined): Format {
  const name = wanted ?? (out === undefined ? 'table' : extname(out).slice(1).replace('jsonl', 'json'))
  const format = FORMATS.find(known => known === name)
  if (!format)
    throw new EdgeError('QUERY_FORMAT', `found format ${name || 'none'}, wanted one of ${FORMATS.join(', ')}`, {
      hint: '--format csv, or --out with a name that ends in .csv, .json or .parquet',
    })
  if (format === 'parquet' && out === undefined)
    throw new EdgeError('QUERY_FORMAT', 'Parquet is not printed', { hint: 'add --out FILE.parquet' })
  return format
}

/** Prints the answer of a statement; on a terminal, a table that fits it. */
export async function printAnswer(session: QuerySession, sql: string, format: Format, out: Writable): Promise<void> {
  const isTerminal = out === process.stdout && process.stdout.isTTY
  const width = isTerminal ? process.stdout.columns : Infinity
  await session.ask(sql, async connection => {
    const print = async () => writeLines(await linesOf(connection, sql, format, width), out)
    // Rows that come one by one show themselves that something happens.
    if (isTerminal && format !== 'table') await print()
    else if (!isTerminal) await withStatementBar(connection, print)
    else await writeLines(await withStatementBar(connection, () => linesOf(connection, sql, format, width)), out)
  })
}

async function linesOf(connection: DuckDBConnection, sql: string, format: Format, width = Infinity) {
  if (format === 'csv') return csvRows(connection, sql)
  if (format === 'json') return jsonRows(connection, sql)
  const text = await tableOf(connection, sql, width)
  return text === '' ? [] : [Buffer.from(text)]
}

/** Writes the answer of a statement to a file. */
export async function writeAnswer(session: QuerySession, sql: string, format: Format, path: string): Promise<void> {
  await writeWhole(path, temporary => {
    const copy = `COPY (${sql}\n) TO ${sqlText(temporary)} (FORMAT parquet, COMPRESSION zstd)`
    return session.ask(sql, connection =>
      withStatementBar<unknown>(connection, async () =>
        format === 'parquet' ? connection.run(copy) : writeLinesTo(temporary, await linesOf(connection, sql, format)),
      ),
    )
  })
}

import { rmSync } from 'node:fs'
import { EdgeError } from '../../platform/edge-error.js'
import { openDuckDb, sqlText } from '../../platform/duckdb.js'
import { writeLines, writeLinesTo, writeWhole } from '../output.js'
import type { Format } from './formats.js'
import { plainTable } from '../table.js'
import type { Cell } from '../../reader/book/sample-rows.js'

/** Rows with the same columns, in batches. */
export interface Rows {
  columns: readonly string[]
  /** Columns that hold text; all others but `ts` hold numbers. */
  texts: readonly string[]
  batches: AsyncIterable<Cell[][]>
}

/**
 * The format that flags and the name of a file ask for.
 * @throws EdgeError BOOK_FORMAT
 */
export function formatOf({ format, json, out }: { format?: Format; json?: boolean; out?: string }): Format {
  const byName = (['csv', 'json', 'parquet'] as const).find(format => out?.endsWith(`.${format}`))
  const byFlag = json ? 'json' : format
  if (json && format !== undefined && format !== 'json')
    throw new EdgeError('BOOK_FORMAT', `found --json and --format ${format}, wanted one of them`)
  if (byFlag === 'parquet' && out === undefined)
    throw new EdgeError('BOOK_FORMAT', 'Parquet is not printed', { hint: 'add --out FILE.parquet' })
  if (out !== undefined && byName === undefined && byFlag === undefined)
    throw new EdgeError('BOOK_FORMAT', `${out} says no format`, { hint: 'wanted .csv, .json or .parquet' })
  return byFlag ?? byName ?? 'table'
}

/** Writes rows as they come; a table is cut for people. */
export async function writeRows(rows: Rows, format: Format, out: string | undefined): Promise<void> {
  if (format === 'parquet') {
    if (out !== undefined) await writeWhole(out, temporary => writeParquet(rows, temporary))
    return
  }
  const lines = format === 'table' ? tableLines(rows) : format === 'csv' ? csvLines(rows) : jsonLines(rows)
  if (out === undefined) await writeLines(lines, process.stdout)
  else await writeWhole(out, temporary => writeLinesTo(temporary, lines))
}

/** More rows than a person reads. */
const ROWS_SHOWN = 1000

async function* tableLines({ columns, batches, texts }: Rows): AsyncGenerator<Buffer> {
  const shown: Cell[][] = []
  let isCut = false
  for await (const batch of batches) {
    isCut ||= shown.length + batch.length > ROWS_SHOWN
    shown.push(...batch.slice(0, ROWS_SHOWN - shown.length))
  }
  const numeric = columns.map((_, index) => index).filter(index => !isText(columns[index] ?? '', texts))
  const cells = shown.map(row => row.map(cell => (typeof cell === 'number' ? shortNumber(cell) : (cell ?? ''))))
  yield Buffer.from(plainTable([...columns], cells, numeric))
  if (isCut) yield Buffer.from(`… cut at ${ROWS_SHOWN} rows (--format csv, --json and --out give all)`)
}

/** Enough for any price; other formats give all. */
const shortNumber = (value: number) => String(Number(value.toPrecision(9)))

async function* csvLines({ columns, batches }: Rows): AsyncGenerator<Buffer> {
  yield Buffer.from(columns.join(','))
  for await (const batch of batches) for (const row of batch) yield Buffer.from(row.map(cell => cell ?? '').join(','))
}

async function* jsonLines({ columns, batches }: Rows): AsyncGenerator<Buffer> {
  for await (const batch of batches)
    for (const row of batch)
      yield Buffer.from(JSON.stringify(Object.fromEntries(columns.map((column, index) => [column, row[index]]))))
}

const isText = (column: string, texts: readonly string[]) => column === 'ts' || texts.includes(column)

/** Through a file of CSV, so that memory does not grow with the rows. */
async function writeParquet(rows: Rows, out: string): Promise<void> {
  const csv = `${out}.csv`
  try {
    await writeLinesTo(csv, csvLines(rows))
    const types = rows.columns.map(column => {
      const type = column === 'ts' ? 'TIMESTAMPTZ' : rows.texts.includes(column) ? 'VARCHAR' : 'DOUBLE'
      return `${sqlText(column)}: '${column === 'change_id' || column === 'level' ? 'BIGINT' : type}'`
    })
    const connection = await openDuckDb()
    try {
      await connection.run(
        `COPY (SELECT * FROM read_csv(${sqlText(csv)}, header = true, delim = ',', columns = {${types.join(', ')}}))
         TO ${sqlText(out)} (FORMAT parquet, COMPRESSION zstd)`,
      )
    } finally {
      connection.closeSync()
    }
  } finally {
    rmSync(csv, { force: true })
  }
}

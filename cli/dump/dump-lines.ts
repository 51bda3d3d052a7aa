import { lineFilter, type LineChoice } from './line-filter.js'
import { jsonAsLine, kindOf, plainLines, segmentLines } from './read-lines.js'

/** The lines of one file that were asked for, verbatim where the file has lines; `note` hears what is wrong with it. */
export function dumpLines(
  path: string,
  choice: LineChoice,
  note: (why: string) => void,
): Iterable<Buffer> | AsyncIterable<Buffer> {
  switch (kindOf(path)) {
    case 'parquet':
      return rowsOf(path, choice)
    case 'manifest':
      return [jsonAsLine(path)]
    case 'segment':
      return chosen(segmentLines(path, note), choice)
    case 'lines':
      return chosen(plainLines(path), choice)
  }
}

function* chosen(lines: Iterable<Buffer>, choice: LineChoice): Generator<Buffer, void> {
  const all = Object.values(choice).every(value => value === undefined)
  const wanted = lineFilter(choice)
  for (const line of lines) if (all || wanted(line.toString('utf8'))) yield line
}

/** DuckDB takes half a second to load: only who asks for Parquet waits for it. */
async function* rowsOf(path: string, choice: LineChoice): AsyncGenerator<Buffer, void> {
  const { parquetLines } = await import('./parquet-lines.js')
  yield* parquetLines(path, choice)
}

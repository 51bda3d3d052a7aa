import { EdgeError } from '../../platform/edge-error.js'
import { mayHold, type DumpFiles, type SegmentSource } from './files.js'
import { lineFilter, type LineChoice } from './line-filter.js'
import { mergeByTime, type MergeInput } from './merge-segments.js'
import { jsonAsLine, kindOf, plainLines, segmentLines } from './read-lines.js'

export interface DumpOptions {
  choice: LineChoice
  /** Hears what is odd about a file that is dumped all the same, such as a torn tail. */
  note: (path: string, why: string) => void
  /** Hears of a file that is left out. */
  refused: (path: string, error: EdgeError) => void
  /** Bytes of segments that were read. */
  read?: (bytes: number) => void
}

/**
 * The lines that were asked for of files, verbatim where the file has lines: segments in the order of
 * receive time, then the rows of Parquet files, table by table, then everything else.
 * @throws EdgeError DUMP_NOT_JSON, DUMP_FILTER_UNKNOWN
 */
export async function* dumpLines(files: DumpFiles, options: DumpOptions): AsyncGenerator<Buffer, void> {
  const { segments, parquet, others } = files
  yield* mergeByTime(segments.flatMap(segment => inputOf(segment, options)))
  for (const files of parquet.values()) yield* rowsOf(files, options.choice)
  for (const path of others) {
    if (kindOf(path) === 'manifest') yield jsonAsLine(path)
    else yield* chosen(plainLines(path), options.choice)
  }
}

/** Lines may be stamped a little before the first of their segment, µs. */
const SLACK_US = 60_000_000

function inputOf(segment: SegmentSource, { choice, note, refused, read }: DumpOptions): MergeInput[] {
  const { path, name } = segment
  try {
    if (!mayHold(segment, choice)) {
      read?.(segment.bytes)
      return []
    }
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    refused(path, error)
    return []
  }
  const open = () =>
    chosen(
      segmentLines(path, why => note(path, why), read),
      choice,
      name?.channel,
    )
  return [{ notBeforeUs: name === undefined ? -Infinity : name.startedMs * 1000 - SLACK_US, open }]
}

function* chosen(lines: Iterable<Buffer>, choice: LineChoice, family?: string): Generator<Buffer, void> {
  const all = Object.values(choice).every(value => value === undefined)
  const wanted = lineFilter(choice, family)
  for (const line of lines) if (all || wanted(line.toString('utf8'))) yield line
}

/** DuckDB takes half a second to load: only who asks for Parquet waits for it. */
async function* rowsOf(paths: readonly string[], choice: LineChoice): AsyncGenerator<Buffer> {
  const { parquetLines } = await import('./parquet-lines.js')
  yield* parquetLines(paths, choice)
}

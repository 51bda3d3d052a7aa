import { isWholeParquet, tornParquet } from '../../formats/parquet-footer.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { LineFrame } from '../frame.js'
import { mergeByTime, type MergeInput } from '../merge-by-time.js'
import type { SegmentName } from '../../formats/raw-path.js'
import { SLACK_US } from '../../formats/segment-span.js'
import { segmentFrames } from '../segment-frames.js'
import { mayHold, type DumpFiles, type SegmentSource } from './files.js'
import { lineFilter, type LineChoice } from './line-filter.js'
import { jsonAsLine, kindOf, plainLines } from './read-lines.js'

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
  const inputs = segments.flatMap(segment => inputOf(segment, options))
  inputs.sort((a, b) => a.notBeforeUs - b.notBeforeUs)
  for (const frames of mergeByTime(inputs)) for (const { line } of frames) yield line
  for (const files of parquet.values()) {
    const whole = files.filter(isWholeParquet)
    for (const path of files) if (!whole.includes(path)) options.refused(path, tornParquet(path))
    if (whole.length > 0) yield* rowsOf(whole, options)
  }
  for (const path of others) {
    if (kindOf(path) === 'manifest') yield jsonAsLine(path)
    else yield* chosen(plainLines(path), options.choice)
  }
}

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
  const ear = { torn: (why: string) => note(path, why), ...(read && { read }) }
  const wanted = wantedLine(choice, name)
  function* open(): Generator<LineFrame[], void> {
    for (const frames of segmentFrames(path, name, ear)) yield frames.filter(({ line }) => wanted(line))
  }
  return [{ notBeforeUs: name === undefined ? -Infinity : name.startedMs * 1000 - SLACK_US, open }]
}

function wantedLine(choice: LineChoice, segment?: SegmentName): (line: Buffer) => boolean {
  if (Object.values(choice).every(value => value === undefined)) return () => true
  const wanted = lineFilter(choice, segment)
  return line => wanted(line.toString('utf8'))
}

function* chosen(lines: Iterable<Buffer>, choice: LineChoice): Generator<Buffer, void> {
  const wanted = wantedLine(choice)
  for (const line of lines) if (wanted(line)) yield line
}

/** DuckDB takes half a second to load: only who asks for Parquet waits for it. A file that cannot be read is left out. */
async function* rowsOf(paths: readonly string[], options: DumpOptions): AsyncGenerator<Buffer> {
  const { parquetLines } = await import('./parquet-lines.js')
  let hasBegun = false
  try {
    for await (const row of parquetLines(paths, options.choice)) {
      hasBegun = true
      yield row
    }
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code !== 'PARQUET_UNREADABLE' || error.path === undefined) throw error
    options.refused(error.path, error)
    const others = paths.filter(path => path !== error.path)
    // Rows of several files come mixed: what was printed is not to be printed again.
    if (!hasBegun && others.length > 0) yield* rowsOf(others, options)
  }
}

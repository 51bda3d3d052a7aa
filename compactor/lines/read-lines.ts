import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeSegment } from '../../formats/decode-segment.js'
import { sqlText } from '../../platform/duckdb.js'
import { LineSplitter } from '../../platform/line-splitter.js'
import { APPEND_LEVEL } from '../../platform/zstd.js'
import { ZstdFile } from '../../platform/zstd-file.js'

/** Longest line that DuckDB's CSV reader is given; its buffers are a few times as large. */
export const LONGEST_PLAIN_LINE_BYTES = 1024 * 1024
const BUFFER_BYTES = 4 * 1024 * 1024
/** For few lines: to fetch the memory takes longer than to read them. */
export const SMALL_BUFFER_BYTES = LONGEST_PLAIN_LINE_BYTES + 64 * 1024

/**
 * SQL for the lines of a zstd file, numbered from 1: one column, no quotes, and a delimiter (0x01) that JSON text
 * cannot hold. It fails, and says so, on longer lines, on text that is not UTF-8, on carriage returns and on that
 * delimiter; `separateLines` is the way for those. Empty lines come as NULL.
 */
export function readLinesSql(path: string, bufferBytes = BUFFER_BYTES): string {
  return `SELECT row_number() OVER () AS line_no, line FROM read_csv(${sqlText(path)}, columns = {'line': 'VARCHAR'},
    delim = chr(1), quote = '', escape = '', header = false, auto_detect = false, new_line = '\\n', compression = 'zstd',
    max_line_size = ${LONGEST_PLAIN_LINE_BYTES}, buffer_size = ${bufferBytes})`
}

/** A line that cannot go through the CSV reader. */
export interface SlowLine {
  lineNo: number
  bytes: Buffer
  utf8: boolean
}

/** Lines of the slow path come in groups of so many; a long one comes alone. */
const GROUP_LINES = 200

function isPlain(line: Buffer): boolean {
  return (
    line.length > 0 &&
    line.length <= LONGEST_PLAIN_LINE_BYTES - 16 &&
    !line.includes(0x0d) &&
    !line.includes(0x01) &&
    isUtf8(line)
  )
}

/**
 * Copies a segment to `plainPath` with an empty line in place of each line that cannot go through the CSV reader, so that
 * line numbers stay, and yields those in groups. Memory: one group and a few buffers, and one line, whatever its length.
 * @param read makes of each line what is to be read in its place
 * @param isWanted by its number; an empty line takes the place of others
 */
export async function* separateLines(
  sealedPath: string,
  plainPath: string,
  read: (line: Buffer) => Buffer = line => line,
  isWanted: (lineNo: number) => boolean = () => true,
): AsyncGenerator<SlowLine[]> {
  const target = new ZstdFile(plainPath, APPEND_LEVEL)
  try {
    let lineNo = 0
    const group: SlowLine[] = []
    for (const lines of linesOf(sealedPath)) {
      const plain: Buffer[] = []
      for (const line of lines) {
        if (!isWanted(++lineNo)) {
          plain.push(LINE_FEED)
          continue
        }
        const bytes = read(line)
        if (isPlain(bytes)) plain.push(bytes, LINE_FEED)
        else {
          plain.push(LINE_FEED)
          const slow = { lineNo, bytes, utf8: isUtf8(bytes) }
          if (bytes.length > LONGEST_PLAIN_LINE_BYTES) yield [slow]
          else group.push(slow)
          if (group.length >= GROUP_LINES) yield group.splice(0)
        }
      }
      target.write(Buffer.concat(plain))
      await nextTurn()
    }
    if (group.length > 0) yield group
    target.end()
  } finally {
    target.close()
  }
}

const LINE_FEED = Buffer.from('\n')

/**
 * The lines of a zstd file without their line feeds, in batches. A last line without line feed counts.
 * @throws Error it cannot be decoded to its end; those of the disk
 */
function* linesOf(path: string): Generator<Buffer[], void> {
  const splitter = new LineSplitter()
  const chunks = decodeSegment(path)
  let chunk = chunks.next()
  for (; chunk.done !== true; chunk = chunks.next()) yield [...splitter.split(chunk.value.bytes)]
  if (chunk.value.fault !== undefined) throw new Error(`${path}: ${chunk.value.fault}`)
  if (splitter.rest.length > 0) yield [splitter.rest]
}

import { EdgeError } from '../../platform/edge-error.js'
import { momentUs, timeText } from '../../platform/moment.js'
import { showProgress } from '../../platform/progress-bar.js'
import { bookAt, sampleBook, type BookSample, type SampleCounts } from '../../reader/book/sample-book.js'
import { LEVEL_COLUMNS, levelCells, sampleCells, sampleColumns, type Cell } from '../../reader/book/sample-rows.js'
import type { Format } from './formats.js'
import { formatOf, writeRows } from './write-rows.js'

export interface PrintBookOptions {
  path: string
  instrument: string
  exchange?: string
  at?: string
  every?: number
  from?: string
  to?: string
  top?: number
  channel?: string
  source?: 'raw' | 'parquet'
  format?: Format
  json?: boolean
  out?: string
}

const TOP = 5
const say = (text: string) => process.stderr.write(`edgetape: ${text}\n`)
const onProblem = (path: string, problem: string) => say(`${path}: ${problem}`)

/**
 * Prints a book at a moment, or samples over a span; stderr says what was unknown or crossed.
 * @throws EdgeError BOOK_SPAN_MISSING, BOOK_FORMAT, those of `sampleBook`
 */
export async function printBook(options: PrintBookOptions): Promise<void> {
  const { at, every, from, to } = options
  const format = formatOf(options)
  if (at !== undefined && every === undefined) await printAt(options, at, format)
  else if (every !== undefined && at === undefined && from !== undefined && to !== undefined)
    await printSamples(options, { everyMs: every, from, to }, format)
  else throw new EdgeError('BOOK_SPAN_MISSING', 'wanted --at, or --every with --from and --to')
}

async function printAt(options: PrintBookOptions, at: string, format: Format): Promise<void> {
  const { path, instrument, exchange, channel, source, top, out } = options
  const sample = await bookAt({ path, instrument, exchange, channel, source, top, at, onProblem })
  say(headline(sample))
  if (sample.state === 'unknown') process.exitCode = 1
  if (format === 'json' && out === undefined) {
    process.stdout.write(`${JSON.stringify({ instrument, ...sample, at: timeText(sample.atUs) })}\n`)
    return
  }
  const rows = { columns: LEVEL_COLUMNS, texts: ['side'], batches: oneBatch(levelCells(sample)) }
  await writeRows(rows, format, out)
}

function headline({ channel, atUs, state, because, unknownSinceUs, changeId, recvUs }: BookSample): string {
  const what = `${channel} at ${timeText(atUs)}`
  if (state === 'unknown') {
    const since = unknownSinceUs === undefined || unknownSinceUs === 0 ? '' : ` since ${timeText(unknownSinceUs)}`
    return `${what}: unknown${since}: ${because ?? ''}`
  }
  return `${what}: ${state}, change ${changeId ?? ''} received at ${timeText(recvUs ?? 0)}`
}

async function printSamples(
  options: PrintBookOptions,
  span: { everyMs: number; from: string; to: string },
  format: Format,
): Promise<void> {
  const { path, instrument, exchange, channel, source, top = TOP, out } = options
  const samples = sampleBook({ path, instrument, exchange, channel, source, top, ...span, onProblem })
  const [fromUs, toUs, everyUs] = [momentUs(span.from), momentUs(span.to), 1000 * span.everyMs]
  // On a terminal the rows themselves show that something happens.
  const progress = out === undefined && process.stdout.isTTY ? undefined : showProgress('samples', 0, 'steps')
  const counted: { counts?: SampleCounts; reasons: Map<string, number> } = { reasons: new Map() }
  async function* batches(): AsyncGenerator<Cell[][]> {
    let step = await samples.next()
    for (; step.done !== true; step = await samples.next()) {
      for (const { because } of step.value)
        if (because !== undefined) counted.reasons.set(because, (counted.reasons.get(because) ?? 0) + 1)
      const last = step.value.at(-1)
      if (last) progress?.reach((last.atUs - fromUs) / everyUs, (toUs - fromUs) / everyUs)
      yield step.value.map(sample => sampleCells(sample, top))
    }
    counted.counts = step.value
  }
  const rows = { columns: sampleColumns(top), texts: ['state'], batches: batches() }
  await writeRows(rows, format, out).finally(() => progress?.stop())
  if (counted.counts) report(counted.counts, counted.reasons)
}

function report({ samples, unknown, frames, crossed, breaks }: SampleCounts, reasons: Map<string, number>): void {
  say(`${samples} samples from ${frames} frames; ${unknown} unknown, ${breaks} breaks in the chain`)
  for (const [because, count] of reasons) say(`unknown ${count} times: ${because}`)
  if (crossed > 0) say(`crossed after ${crossed} frames: the best bid was not below the best ask`)
}

async function* oneBatch(rows: Cell[][]): AsyncGenerator<Cell[][]> {
  yield await Promise.resolve(rows)
}

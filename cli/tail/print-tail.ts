import { EdgeError } from '../../platform/edge-error.js'
import { parseTimeUs, timeText } from '../../platform/moment.js'
import { onShutdown } from '../../platform/shutdown.js'
import { tableNamed } from '../../compactor/tables.js'
import { exchangesIn } from '../../coverage/account/read-facts.js'
import type { LineFrame } from '../../reader/frame.js'
import { freshSettings } from '../../reader/query/fresh-settings.js'
import { tailFrameBatches, type TailOptions } from '../../reader/tail/tail-frames.js'
import type { ConfigOption } from '../config-option.js'
import { writeLines } from '../output.js'

export interface TailFlags extends ConfigOption {
  path?: string
  instrument?: string
  conn?: string
  from?: string
  table?: string
  format: 'json' | 'table'
}

/** Prints frames or rows until stopped, or until whoever reads them goes away. */
export async function printTail(channels: readonly string[], flags: TailFlags): Promise<void> {
  const { root, fresh } = freshSettings(flags.path, flags.config)
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  const options: TailOptions = {
    ...{ path: root, instrument: flags.instrument, signal: stop.signal },
    channels: channels.length > 0 ? channels : undefined,
    conns: flags.conn === undefined ? undefined : [flags.conn],
    since: flags.from === undefined ? undefined : sinceUs(flags.from),
  }
  const lines = flags.table === undefined ? frameLines(options, flags.format) : await rowLines(options, fresh, flags)
  for await (const batch of lines) if (!(await writeLines(batch, process.stdout))) return
}

/** @throws EdgeError TIME_INVALID */
function sinceUs(text: string): number {
  const [, count, unit = 's'] = /^(\d+)([smhd])$/.exec(text) ?? []
  if (count === undefined) return parseTimeUs(text)
  return (Date.now() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]) * 1000
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

async function* frameLines(options: TailOptions, format: TailFlags['format']): AsyncGenerator<Buffer[], void> {
  for await (const batch of tailFrameBatches(options))
    yield batch.map(frame => (format === 'json' ? frame.line : Buffer.from(shown(frame))))
}

/** A line a frame, for people. */
function shown({ recvUs, conn, seq, channel, family, text }: LineFrame): string {
  const width = (process.stdout.isTTY ? process.stdout.columns : 200) - 70
  const what = channel ?? family
  const data = text.length > width ? `${text.slice(0, Math.max(20, width))}…` : text
  return `${timeText(recvUs)}  ${conn.padEnd(8)} ${String(seq).padStart(8)}  ${what.padEnd(28)} ${data}`
}

async function rowLines(
  options: TailOptions,
  settings: ReturnType<typeof freshSettings>['fresh'],
  { table = '', format }: TailFlags,
): Promise<AsyncGenerator<Buffer[], void>> {
  const isKnown = exchangesIn(options.path).some(exchange => tableNamed(exchange, table))
  if (!isKnown)
    throw new EdgeError('TAIL_NO_TABLE', `nothing that is recorded here makes rows of ${table}`, {
      hint: 'edgetape query "SHOW TABLES" lists the tables',
    })
  const { tailRows } = await import('../../reader/tail/tail-rows.js')
  const note = (text: string) => process.stderr.write(`edgetape: ${text}\n`)
  return inFormat(tailRows({ ...options, table, settings, note }), format)
}

async function* inFormat(
  batches: AsyncGenerator<string[], void>,
  format: TailFlags['format'],
): AsyncGenerator<Buffer[], void> {
  let head = ''
  for await (const rows of batches) {
    if (format === 'json') {
      yield rows.map(row => Buffer.from(row))
      continue
    }
    const lines: Buffer[] = []
    for (const row of rows) {
      const value = JSON.parse(row) as Record<string, unknown>
      const names = Object.keys(value).filter(name => !HIDDEN.has(name))
      const line = (cells: readonly string[]) => Buffer.from(cells.join('  '))
      if (head !== names.join()) lines.push(line(names.map(name => name.padEnd(widthOf(name)))))
      head = names.join()
      lines.push(line(names.map(name => cellText(value[name]).padEnd(widthOf(name)))))
    }
    yield lines
  }
}

/** Of interest to whoever looks closer. */
const HIDDEN: ReadonlySet<string> = new Set(['conn', 'seq', 'source', 'extra', 'channel'])
const widthOf = (name: string) => (name.endsWith('_ts') ? 26 : Math.max(10, name.length))
const cellText = (value: unknown) =>
  value === null || value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)

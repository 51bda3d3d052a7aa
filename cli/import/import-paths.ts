import { loadConfig } from '../../config/load.js'
import { oneExchange } from '../../config/one-exchange.js'
import { EdgeError } from '../../platform/edge-error.js'
import { countText } from '../../platform/figures.js'
import { lowerPriority } from '../../platform/low-priority.js'
import { timeText } from '../../platform/moment.js'
import { showProgress } from '../../platform/progress-bar.js'
import { onShutdown } from '../../platform/shutdown.js'
import { importFrames, type Imported } from '../../reader/import/import-frames.js'
import { importTarget, requireHost } from '../../reader/import/import-target.js'
import { jsonLineReader } from '../../reader/import/json-line.js'
import { sourceFiles } from '../../reader/import/source-files.js'
import type { TimeUnit } from '../../reader/import/receive-time.js'
import { tardisLine } from '../../reader/import/tardis-line.js'
import type { ConfigOption } from '../config-option.js'
import { exitCodes } from '../exit-codes.js'

export interface ImportFlags extends ConfigOption {
  out?: string
  exchange?: string
  host?: string
  again?: boolean
  json?: boolean
  timeField: string
  timeUnit: TimeUnit
  frameField?: string
  where?: { field: string; value: string }
  family?: string
}

/** Imports, and prints what came of it. Exit code 0 only where every file was read to its end. */
export async function importPaths(form: 'tardis' | 'raw', paths: string[], flags: ImportFlags): Promise<void> {
  const { out, again, timeField, timeUnit, frameField, where: only } = flags
  const config = out === undefined ? loadConfig(flags.config) : undefined
  const dataDir = out ?? config?.dataDir ?? ''
  const conn = form === 'tardis' ? 'tardis' : 'import'
  const lines = { timeField, timeUnit, frameField, only }
  const read = form === 'tardis' ? tardisLine : jsonLineReader(lines)
  const files = sourceFiles(paths)
  const host = requireHost(flags.host ?? conn)
  const target = await importTarget(
    { ...flags, exchange: flags.exchange ?? (config && oneExchange(config).name) },
    files,
    read,
  )
  const meaning = form === 'tardis' ? {} : lines
  lowerPriority()
  const stop = new AbortController()
  onShutdown(() => stop.abort(new EdgeError('IMPORT_STOPPED', 'asked to stop', { hint: GOES_ON })))
  const progress = showProgress(
    'import',
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  try {
    const imported = await importFrames({
      ...{ dataDir, ...target, conn, host, files, read, again, signal: stop.signal },
      form: JSON.stringify([form, target.exchangeName, target.family, host, meaning]),
      onBytes: progress.advance,
      onTorn: ({ message, hint }) =>
        progress.aside(() => process.stderr.write(`edgetape: ${message}\nhint: ${hint ?? ''}\n`)),
    })
    if (imported.torn > 0) process.exitCode = exitCodes.failure
    process.stdout.write(flags.json ? `${JSON.stringify(imported)}\n` : summaryOf(imported))
  } finally {
    progress.stop()
  }
}

const GOES_ON = 'what was imported stays; run the same command again to continue'

function summaryOf(imported: Imported): string {
  const { files, knownFiles, torn, frames, broken, reasons, lost, segments, knownSegments, firstUs, lastUs } = imported
  const span = firstUs === undefined || lastUs === undefined ? '' : `, ${timeText(firstUs)} to ${timeText(lastUs)}`
  const why = Object.entries(reasons).map(([reason, count]) => `${countText(count)} ${reason}`)
  return [
    `files        ${countText(files)} read, ${countText(knownFiles)} known already${torn > 0 ? `, ${torn} torn` : ''}`,
    `frames       ${countText(frames)}${span}`,
    `segments     ${countText(segments)} new, ${countText(knownSegments)} were there`,
    ...(lost > 0 ? [`lost         the connection ${countText(lost)} times, by blank lines`] : []),
    ...(broken > 0 ? [`quarantine   ${countText(broken)} lines: ${why.join(', ')}`] : []),
    ...(segments > 0 ? ['next         edgetape compact --once'] : []),
    '',
  ].join('\n')
}

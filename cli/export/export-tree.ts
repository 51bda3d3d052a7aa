import { EdgeError } from '../../platform/edge-error.js'
import { countText } from '../../platform/figures.js'
import { showProgress, type Progress } from '../../platform/progress-bar.js'
import { onShutdown } from '../../platform/shutdown.js'
import { exportFiles, type ExportFormat } from '../../reader/export/export-files.js'
import { freshSettings } from '../../reader/query/fresh-settings.js'
import type { ConfigOption } from '../config-option.js'

export interface ExportFlags extends ConfigOption {
  format: ExportFormat
  out: string
  path?: string
  type?: string[]
  view?: string
  instrument?: string[]
  kind?: string
  currency?: string
  exchange?: string
  from?: number
  to?: number
  gaps: 'refuse' | 'restart'
  fresh: boolean
  json?: boolean
}

/** Exports, and prints what came of it. */
export async function exportTree(flags: ExportFlags): Promise<void> {
  const { path, config, type, instrument, fresh: takesFresh, json, ...options } = flags
  const { root, fresh } = freshSettings(path, config)
  const stop = new AbortController()
  onShutdown(() =>
    stop.abort(new EdgeError('EXPORT_STOPPED', 'asked to stop', { hint: 'run the same command again to continue' })),
  )
  let progress: Progress | undefined
  const note = (text: string) => {
    const print = () => process.stderr.write(`edgetape: ${text}\n`)
    if (progress) progress.aside(print)
    else print()
  }
  try {
    const { files, known, rows, gaps } = await exportFiles({
      ...options,
      ...{ root, types: type, instruments: instrument, note, signal: stop.signal },
      fresh: takesFresh ? fresh : undefined,
      onFiles: count => (progress = showProgress('export', count, 'steps')),
      onFile: () => progress?.advance(1),
    })
    const text =
      `files        ${countText(files)} written, ${countText(known)} were there\n` +
      `rows         ${countText(rows)}\n` +
      `gaps         ${countText(gaps)}${gaps > 0 ? ', see the accounts beside the files' : ''}\n`
    process.stdout.write(json ? `${JSON.stringify({ files, known, rows, gaps })}\n` : text)
  } finally {
    progress?.stop()
  }
}

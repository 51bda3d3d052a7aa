import { momentUs, type Moment } from '../../platform/moment.js'
import { freshSettings } from '../query/fresh-settings.js'
import type { RecordingOptions } from '../query/open-recording.js'
import { exportFiles, type ExportedFiles, type ExportOptions } from './export-files.js'

export interface ExportRecordingOptions
  extends RecordingOptions, Omit<ExportOptions, 'root' | 'fresh' | 'note' | 'from' | 'to' | 'gaps'> {
  from?: Moment
  to?: Moment
  /** What to do where something is missing. Default: refuse. */
  gaps?: ExportOptions['gaps']
}

/**
 * Writes what was recorded in the form of another program, or a table or ready view as csv or parquet, as by `edgetape export`.
 * @throws EdgeError EXPORT_GAPS, EXPORT_NOTHING, EXPORT_OPTIONS
 */
export async function exportRecording({
  path,
  fresh: takesFresh = true,
  onNote = () => undefined,
  from,
  to,
  gaps = 'refuse',
  ...options
}: ExportRecordingOptions): Promise<ExportedFiles> {
  const { root, fresh } = freshSettings(path, '')
  const us = (moment: Moment | undefined) => (moment === undefined ? undefined : momentUs(moment))
  const span = { from: us(from), to: us(to) }
  return exportFiles({ ...options, ...span, root, gaps, fresh: takesFresh ? fresh : undefined, note: onNote })
}

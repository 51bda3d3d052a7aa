import { sizeText } from '../../platform/figures.js'
import { loadConfig } from '../../config/load.js'
import { defaultConfig, type Config } from '../../config/schema.js'
import { createLogger } from '../../platform/log.js'
import { lowerPriority } from '../../platform/low-priority.js'
import { showProgress } from '../../platform/progress-bar.js'
import { onShutdown } from '../../platform/shutdown.js'
import { compactionBar, summaryText } from '../compact/summary.js'
import { mergeTrees } from '../../reader/merge/merge-trees.js'

export interface MergeFlags {
  out: string
  config?: string
  from?: number
  to?: number
  json?: true
}

/** Merges, and says what came of it. */
export async function printMerge(folders: string[], flags: MergeFlags): Promise<void> {
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  lowerPriority()
  const gathering = showProgress('gathering', 0, 'steps')
  const bar = compactionBar()
  const { gathered, compacted } = await mergeTrees(folders, {
    ...{
      config: configFor(flags),
      log: createLogger('merge', process.env['EDGETAPE_LOG'] ?? (process.stderr.isTTY ? 'warn' : 'info')),
      signal: stop.signal,
    },
    span: { fromUs: flags.from ?? 0, toUs: flags.to ?? Infinity },
    onLooked: gathering.reach,
    onGathered: gathering.stop,
    onProgress: bar.show,
  }).finally(() => {
    gathering.stop()
    bar.stop()
  })
  const { faults, ...counts } = gathered
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...counts, faults: faults.length, compacted })}\n`)
  else
    process.stdout.write(
      `taken        ${counts.segments} segments (${sizeText(counts.bytes)}), ${counts.known} were there, ` +
        `${counts.open} not sealed yet, ${faults.length} left out\n${summaryText(compacted)}`,
    )
  if (faults.length > 0 || compacted.failed > 0 || compacted.backlog > 0) process.exitCode = 1
}

/** Settings of the conversion; nothing is ever shipped from here. */
function configFor({ config: file, out }: MergeFlags): Config {
  const { sync, ...settings } = defaultConfig()
  return { ...settings, ...(file !== undefined && loadConfig(file)), dataDir: out, sync }
}

import { SingleBar } from 'cli-progress'
import pretty from 'pretty-bytes'
import { runCompactor } from '../../compactor/main.js'
import { loadConfig } from '../../config/load.js'
import { EdgeError } from '../../platform/edge-error.js'
import { defaultConfig, type Config } from '../../config/schema.js'
import { createLogger } from '../../platform/log.js'
import { lowerPriority } from '../../platform/low-priority.js'
import { onShutdown } from '../../platform/shutdown.js'
import { compactionBar, summaryText } from '../compact/summary.js'
import { gatherSegments } from '../../reader/merge/gather-segments.js'

export interface MergeFlags {
  to: string
  config?: string
  from?: number
  until?: number
  json?: true
}

/** Gathers the segments, and converts them. */
export async function mergeTrees(folders: string[], flags: MergeFlags): Promise<void> {
  const config = configFor(flags)
  const span = { fromUs: flags.from ?? 0, toUs: flags.until ?? Infinity }
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  lowerPriority()
  const log = createLogger('merge')
  const gathering = process.stderr.isTTY ? gatherBar() : undefined
  const gathered = await gatherSegments(folders, config.dataDir, span, found => {
    stop.signal.throwIfAborted()
    gathering?.increment(1, { taken: found.segments })
  })
  gathering?.stop()
  for (const { message, code, hint } of gathered.faults) log.error({ code, hint }, message)
  if (gathered.segments + gathered.known + gathered.open + gathered.faults.length === 0)
    throw new EdgeError('MERGE_NOTHING', `no segment of that time in ${folders.join(', ')}`, {
      hint: 'edgetape coverage FOLDER says what a tree holds',
    })

  const bar = process.stderr.isTTY ? compactionBar() : undefined
  const summary = await runCompactor({
    ...{ config, log, once: true, signal: stop.signal },
    ...(bar && { onProgress: bar.show }),
  })
  bar?.stop()
  const { faults, ...counts } = gathered
  if (flags.json) process.stdout.write(`${JSON.stringify({ ...counts, faults: faults.length, compacted: summary })}\n`)
  else
    process.stdout.write(
      `taken        ${counts.segments} segments (${pretty(counts.bytes, { binary: true })}), ${counts.known} were there, ` +
        `${counts.open} not sealed yet, ${faults.length} left out\n${summaryText(summary)}`,
    )
  if (faults.length > 0 || summary.failed > 0 || summary.backlog > 0) process.exitCode = 1
}

/** Settings of the conversion; nothing is ever shipped from here. */
function configFor({ config: file, to }: MergeFlags): Config {
  const { sync, ...settings } = defaultConfig()
  return { ...settings, ...(file !== undefined && loadConfig(file)), dataDir: to, sync }
}

const gatherBar = () => {
  const bar = new SingleBar({
    format: '{value} segments looked at, {taken} taken',
    hideCursor: true,
    stream: process.stderr,
  })
  bar.start(0, 0, { taken: 0 })
  return bar
}

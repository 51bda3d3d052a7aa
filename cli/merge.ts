import { SingleBar } from 'cli-progress'
import { Command } from 'commander'
import pretty from 'pretty-bytes'
import type { Config } from '../config/schema.js'
import { createLogger } from '../platform/log.js'
import { lowerPriority } from '../platform/low-priority.js'
import { onShutdown } from '../platform/shutdown.js'
import { compactionBar, summaryText } from './compact/summary.js'

interface MergeFlags {
  to: string
  config?: string
  from?: string
  until?: string
  json?: true
}

/** `edgetape merge`: what several recorders took, as if one had. Exit code 0 only where nothing was left out. */
export function mergeCommand(): Command {
  return new Command('merge')
    .description('make one tree of what several recorders took, with each event once')
    .argument('<folders...>', 'dataDirs or their copies on the NAS; only read')
    .requiredOption('--to <folder>', 'the merged tree; what it has already stays, so that each day adds to it')
    .option('--from <time>', 'received at this time or later, e.g. 2026-11-22 (UTC)')
    .option('--until <time>', 'received before this time')
    .option('--config <file>', 'config file, for the settings below compact')
    .option('--json', 'print the summary as JSON')
    .addHelpText(
      'after',
      `
Sealed segments come as links, or as verified copies where the tree is on another file system; then they are converted.
Each event stands once in Parquet: what two recorders took both is known by the exchange's own numbers.
`,
    )
    .action(merge)
}

async function merge(folders: string[], flags: MergeFlags): Promise<void> {
  const config = await configFor(flags)
  const [{ gatherSegments }, { runCompactor }, { parseTimeUs }] = await Promise.all([
    import('./merge/gather-segments.js'),
    import('../compactor/main.js'),
    import('../reading/time.js'),
  ])
  const span = {
    fromUs: flags.from === undefined ? 0 : parseTimeUs(flags.from),
    toUs: flags.until === undefined ? Infinity : parseTimeUs(flags.until),
  }
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
async function configFor({ config: file, to }: MergeFlags): Promise<Config> {
  const [{ loadConfig }, { configSchema }] = await Promise.all([
    import('../config/load.js'),
    import('../config/schema.js'),
  ])
  const config =
    file === undefined ? configSchema.parse({ dataDir: to, exchange: { name: 'deribit' } }) : loadConfig(file)
  return { ...config, dataDir: to, sync: configSchema.shape.sync.parse({}) }
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

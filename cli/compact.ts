import { SingleBar } from 'cli-progress'
import { Command } from 'commander'
import { configHelp } from '../config/keys.js'
import { loadConfig } from '../config/load.js'
import { createLogger } from '../platform/log.js'
import { lowerPriority } from '../platform/low-priority.js'
import { onShutdown } from '../platform/shutdown.js'
import type { Summary } from '../compactor/progress.js'

interface CompactFlags {
  config: string
  once?: true
  rebuild?: true
  json?: true
}

/** `edgetape compact`: sealed segments → Parquet. Exit code 0 only where every segment was converted. */
export function compactCommand(): Command {
  return new Command('compact')
    .description('convert sealed raw segments to Parquet')
    .option('--config <file>', 'config file', './edgetape.yaml')
    .option('--once', 'convert what is there, print a summary and end')
    .option('--rebuild', 'convert every segment on disk again')
    .option('--json', 'print the summary as JSON')
    .addHelpText('after', () => `\n${configHelp()}`)
    .action(compact)
}

async function compact(flags: CompactFlags): Promise<void> {
  const config = loadConfig(flags.config)
  const { runCompactor } = await import('../compactor/main.js')
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  // The recorder comes first on a small machine.
  lowerPriority()

  const once = flags.once === true
  const bar = once && process.stderr.isTTY ? progressBar() : undefined
  const summary = await runCompactor({
    config,
    log: createLogger('compactor'),
    once,
    rebuild: flags.rebuild === true,
    signal: stop.signal,
    ...(bar && { onProgress: bar.show }),
  })
  bar?.stop()
  if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  else if (once) process.stdout.write(summaryText(summary))
  const unfinished = once && summary.backlog > 0
  if (summary.failed > 0 || unfinished) process.exitCode = 1
}

function progressBar() {
  const bar = new SingleBar({
    format: '{bar} {value}/{total} segments, {rows} rows',
    hideCursor: true,
    stream: process.stderr,
  })
  return {
    show: ({ segments, failed, backlog, rows }: Summary) => {
      const done = segments + failed
      const payload = { rows: Object.values(rows).reduce((sum, count) => sum + count, 0) }
      if (bar.isActive) {
        bar.setTotal(done + backlog)
        bar.update(done, payload)
      } else bar.start(done + backlog, done, payload)
    },
    stop: () => bar.stop(),
  }
}

function summaryText({ segments, failed, frames, rows, doubles, quarantined, known, lastError }: Summary): string {
  const tables = Object.entries(rows).map(([table, count]) => `  ${table.padEnd(12)} ${count} rows`)
  return [
    `segments     ${segments} converted, ${failed} failed`,
    `frames       ${frames}`,
    ...tables,
    `doubles      ${doubles} rows left out`,
    `quarantined  ${quarantined}`,
    `known        ${known} frames without rows`,
    ...(lastError === undefined ? [] : [`last error   ${lastError}`]),
    '',
  ].join('\n')
}

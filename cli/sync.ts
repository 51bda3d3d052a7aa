import { Command } from 'commander'
import type { PassReport } from '../syncer/main.js'
import { configHelp } from '../config/keys.js'
import { loadConfig } from '../config/load.js'

interface SyncOptions {
  config: string
  once: boolean
  json: boolean
}

export function syncCommand(): Command {
  return new Command('sync')
    .description('bring finished files to the target, verify them there, and free space here')
    .option('--config <file>', 'config file', './edgetape.yaml')
    .option('--once', 'one pass, then a summary; exit code 0 only if nothing failed', false)
    .option('--json', 'the summary as JSON', false)
    .addHelpText('after', () => `\n${configHelp()}`)
    .action(sync)
}

async function sync({ config: path, once, json }: SyncOptions): Promise<void> {
  const config = loadConfig(path)
  const { runSyncer, isClean } = await import('../syncer/main.js')
  const { createLogger } = await import('../platform/log.js')
  const { onShutdown } = await import('../platform/shutdown.js')
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  const bar = once && process.stderr.isTTY ? await progressBar() : undefined
  const onProgress = bar ? { onProgress: bar.show } : {}
  const report = await runSyncer({ config, log: createLogger('syncer'), once, signal: stop.signal, ...onProgress })
  bar?.stop()
  if (!once) return
  const summary = json ? JSON.stringify(summaryOf(report)) : await describe(report)
  process.stdout.write(`${summary}\n`)
  if (!isClean(report) || stop.signal.aborted) process.exitCode = 1
}

async function progressBar(): Promise<{ show: (report: PassReport) => void; stop: () => void }> {
  const { default: progress } = await import('cli-progress')
  const bar = new progress.SingleBar(
    { format: 'sync {bar} {value}/{total} files', stream: process.stderr, clearOnComplete: true },
    progress.Presets.shades_classic,
  )
  bar.start(0, 0)
  return {
    show: ({ plannedFiles, handledFiles }) => {
      bar.setTotal(plannedFiles)
      bar.update(Math.min(handledFiles, plannedFiles))
    },
    stop: () => bar.stop(),
  }
}

/** The report with an error that survives JSON. */
function summaryOf({ error, ...report }: PassReport): object {
  return { ...report, error: error ? { code: error.code, message: error.message, hint: error.hint ?? null } : null }
}

async function describe(report: PassReport): Promise<string> {
  const { default: pretty } = await import('pretty-bytes')
  const bytes = (count: number) => pretty(count, { binary: true })
  const lines = [
    `target      ${report.target}`,
    `shipped     ${report.shippedFiles} files, ${bytes(report.shippedBytes)}`,
    `verified    ${report.verifiedFiles} files, ${report.unverifiedFiles} more wait for their grace period`,
    `backlog     ${report.backlogFiles} files, ${bytes(report.backlogBytes)}`,
    `freed here  ${report.retiredFiles} files, ${bytes(report.retiredBytes)}`,
  ]
  if (report.wrongFiles + report.missingFiles > 0) {
    lines.push(`repaired    ${report.wrongFiles} wrong and ${report.missingFiles} missing copies`)
  }
  for (const { path, reason } of report.problems) lines.push(`problem     ${path}: ${reason}`)
  const unnamed = report.problemFiles - report.problems.length
  if (unnamed > 0) lines.push(`problem     … and ${unnamed} more`)
  if (report.error) lines.push(`error       ${report.error.message}`)
  if (report.error?.hint !== undefined) lines.push(`hint        ${report.error.hint}`)
  return lines.join('\n')
}

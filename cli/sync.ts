import { Command } from 'commander'
import type { PassReport } from '../syncer/main.js'
import { withConfig } from './config-option.js'

interface SyncOptions {
  config: string
  once: boolean
  json: boolean
}

export function syncCommand(): Command {
  return withConfig(new Command('sync'))
    .description('copy finished files to the target, verify them there, and free space here')
    .option('--once', 'one pass, then a summary; exit code 0 only if nothing failed', false)
    .option('--json', 'the summary as JSON', false)
    .action(sync)
}

async function sync({ config: path, once, json }: SyncOptions): Promise<void> {
  // Recording comes first on a small machine; rsync inherits it.
  const { lowerPriority, lowerThreads } = await import('../platform/low-priority.js')
  lowerThreads()
  const { loadConfig } = await import('../config/load.js')
  const config = loadConfig(path)
  const { runSyncer, isClean } = await import('../syncer/main.js')
  const { createLogger } = await import('../platform/log.js')
  const { interruptedCode, onShutdown } = await import('../platform/shutdown.js')
  const { attendSystemd } = await import('../platform/systemd.js')
  const { showProgress } = await import('../platform/progress-bar.js')
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  lowerPriority()
  const bar = once ? showProgress('sync', 0) : undefined
  const onProgress = bar && {
    onProgress: ({ handledBytes, plannedBytes }: PassReport) => bar.reach(handledBytes, plannedBytes),
  }
  const log = createLogger('syncer')
  const leaveSystemd = attendSystemd(log)
  const report = await runSyncer({ config, log, once, signal: stop.signal, ...onProgress })
  leaveSystemd()
  bar?.stop()
  if (!once) return
  const summary = json ? JSON.stringify(summaryOf(report)) : await describe(report)
  process.stdout.write(`${summary}\n`)
  if (stop.signal.aborted) process.exitCode = interruptedCode() ?? 1
  else if (!isClean(report)) process.exitCode = 1
}

/** The report with an error that survives JSON. */
function summaryOf({ error, ...report }: PassReport): object {
  return { ...report, error: error ? { code: error.code, message: error.message, hint: error.hint ?? null } : null }
}

async function describe(report: PassReport): Promise<string> {
  const { sizeText } = await import('../platform/figures.js')
  const lines = [
    `target      ${report.target}`,
    `shipped     ${report.shippedFiles} files, ${sizeText(report.shippedBytes)}`,
    `verified    ${report.verifiedFiles} files, ${report.unverifiedFiles} more wait for their grace period`,
    `backlog     ${report.backlogFiles} files, ${sizeText(report.backlogBytes)}`,
    `freed here  ${report.retiredFiles} files, ${sizeText(report.retiredBytes)}`,
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

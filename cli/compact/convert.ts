import type { RebuildWish } from '../../compactor/date/dates.js'
import { runCompactor } from '../../compactor/main.js'
import { loadConfig } from '../../config/load.js'
import { EdgeError } from '../../platform/edge-error.js'
import { createLogger } from '../../platform/log.js'
import { lowerPriority } from '../../platform/low-priority.js'
import { interruptedCode, onShutdown } from '../../platform/shutdown.js'
import { attendSystemd } from '../../platform/systemd.js'
import { isDate } from '../../platform/utc-date.js'
import { compactionBar, summaryText } from './summary.js'

export interface CompactFlags {
  config: string
  once?: true
  rebuild?: true
  date?: string
  outdated?: true
  retryQuarantine?: true
  rebuildLists?: true
  order?: 'oldest' | 'newest'
  json?: true
}

/** Runs the compactor as the command line asks. */
export async function convert(flags: CompactFlags): Promise<void> {
  const config = loadConfig(flags.config)
  if (flags.order) config.compact.order = flags.order
  const rebuild = rebuildWish(flags)
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  lowerPriority()
  const once = flags.once === true
  const bar = once && process.stderr.isTTY ? compactionBar() : undefined
  // What is converted the bar shows already, and lines of a log would break it.
  const log = createLogger('compactor', process.env['EDGETAPE_LOG'] ?? (bar ? 'warn' : 'info'))
  const leaveSystemd = attendSystemd(log)
  const summary = await runCompactor({
    config,
    log,
    once,
    ...(rebuild && { rebuild }),
    retryQuarantine: flags.retryQuarantine === true,
    ...(flags.rebuildLists && { onListed: (date: string, files: number) => log.info({ date, files }, 'day listed') }),
    signal: stop.signal,
    ...(bar && { onProgress: bar.show }),
  })
  leaveSystemd()
  bar?.stop()
  if (flags.json) process.stdout.write(`${JSON.stringify(summary)}\n`)
  else if (once) process.stdout.write(summaryText(summary))
  const unfinished = once && summary.backlog > 0
  if (summary.failed > 0 || unfinished) process.exitCode = 1
  if (unfinished) process.exitCode = interruptedCode() ?? 1
}

function rebuildWish({ rebuild, date, outdated }: CompactFlags): RebuildWish | undefined {
  if (!rebuild) {
    if (date === undefined && !outdated) return undefined
    throw new EdgeError('COMPACT_OPTIONS', '--date and --outdated say what --rebuild is to convert again')
  }
  if (date !== undefined && !isDate(date)) {
    throw new EdgeError('COMPACT_OPTIONS', `--date ${date}: wanted a date such as 2026-11-22`)
  }
  return { ...(date !== undefined && { date }), ...(outdated && { outdated }) }
}

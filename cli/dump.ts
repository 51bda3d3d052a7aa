import { Command } from 'commander'
import type { EdgeError } from '../platform/edge-error.js'
import { parseTimeUs } from '../platform/moment.js'

interface DumpOptions {
  channel?: string
  instrument?: string
  conn?: string
  from?: number
  to?: number
}

export function dumpCommand(): Command {
  return new Command('dump')
    .description('print recorded files as JSON lines: segments (open or sealed), Parquet, manifests, quarantine')
    .argument('<file...>', 'files or folders; the lines of several segments come in the order of receive time')
    .option('--channel <name>', 'only frames of a channel or family, e.g. trades or trades.BTC-PERPETUAL')
    .option('--instrument <name>', 'only frames and rows of an instrument or index, e.g. BTC-PERPETUAL')
    .option('--conn <name>', 'only frames of a connection, e.g. d1, http or journal')
    .option('--from <time>', 'received at this time or later, e.g. 2026-11-22T14:00 (UTC)', parseTimeUs)
    .option('--to <time>', 'received before this time', parseTimeUs)
    .action(dump)
}

async function dump(paths: string[], { channel, instrument, conn, from, to }: DumpOptions): Promise<void> {
  const [{ dumpLines }, { dumpFiles }, { showProgress }, { writeLines }] = await Promise.all([
    import('../reader/dump/dump-lines.js'),
    import('../reader/dump/files.js'),
    import('../platform/progress-bar.js'),
    import('./output.js'),
  ])
  const choice = { channel, instrument, conn, fromUs: from, toUs: to }
  const files = dumpFiles(paths, choice)
  // On a terminal the lines themselves show that something happens.
  const progress = process.stdout.isTTY
    ? undefined
    : showProgress(
        'dump',
        files.segments.reduce((sum, { bytes }) => sum + bytes, 0),
      )
  const say = (text: string) => {
    const print = () => process.stderr.write(`edgetape: ${text}\n`)
    if (progress) progress.aside(print)
    else print()
  }
  const refused = (path: string, { message, hint }: EdgeError) => {
    process.exitCode = 1
    say(`${path} is left out: ${message}`)
    if (hint !== undefined) say(`hint: ${hint}`)
  }
  const note = (path: string, why: string) => say(`${path}: ${why}`)
  try {
    const lines = dumpLines(files, { choice, note, refused, ...(progress && { read: progress.advance }) })
    await writeLines(lines, process.stdout)
  } finally {
    progress?.stop()
  }
}

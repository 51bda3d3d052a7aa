import { statSync } from 'node:fs'
import { Command } from 'commander'
import { EdgeError, hasErrno } from '../platform/edge-error.js'

interface DumpOptions {
  channel?: string
  instrument?: string
  from?: string
  to?: string
}

export function dumpCommand(): Command {
  return new Command('dump')
    .description('print any of our files as JSON lines: segments (open or sealed), Parquet, manifests, quarantine')
    .argument('<file...>', 'files to print, one after another')
    .option('--channel <name>', 'only frames of a channel or family, e.g. trades or trades.BTC-PERPETUAL')
    .option('--instrument <name>', 'only frames and rows of an instrument or index, e.g. BTC-PERPETUAL')
    .option('--from <time>', 'received at this time or later, e.g. 2026-11-22T14:00 (UTC)')
    .option('--to <time>', 'received before this time')
    .action(dump)
}

async function dump(files: string[], options: DumpOptions): Promise<void> {
  const [{ parseTimeUs }, { dumpLines }, { writeLines }] = await Promise.all([
    import('./dump/line-filter.js'),
    import('./dump/dump-lines.js'),
    import('./output.js'),
  ])
  const choice = {
    channel: options.channel,
    instrument: options.instrument,
    fromUs: options.from === undefined ? undefined : parseTimeUs(options.from),
    toUs: options.to === undefined ? undefined : parseTimeUs(options.to),
  }
  for (const path of files) {
    mustBeFile(path)
    const note = (why: string) => process.stderr.write(`edgetape: ${path}: ${why}\n`)
    const readerThere = await writeLines(dumpLines(path, choice, note), process.stdout)
    if (!readerThere) return
  }
}

function mustBeFile(path: string): void {
  try {
    if (statSync(path).isFile()) return
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR')) throw cause
    throw new EdgeError('DUMP_NO_FILE', `no file ${path}`, { path, cause })
  }
  throw new EdgeError('DUMP_NO_FILE', `${path} is no file`, { path, hint: 'name the files in it, e.g. with **/*.zst' })
}

import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'
import { exitCodes } from './exit-codes.js'

interface ReportOptions extends ConfigOption {
  date: string
  path?: string
  out?: string
  exchange?: string
  fresh: boolean
}

/** `edgetape report`: a day as one file of HTML. */
export function reportCommand(): Command {
  return withConfig(
    new Command('report')
      .description('one day as a self-contained HTML file: what is missing, prices, options, rates, clocks')
      .requiredOption('--date <date>', 'the day (UTC), e.g. 2026-11-22')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--exchange <name>', 'of one alone; default: all that were recorded')
      .option('--out <file>', 'default: report-DATE.html here')
      .option('--no-fresh', 'only what is in Parquet already: faster where much is not'),
  ).action(report)
}

async function report({ date, path, out, exchange, fresh, config }: ReportOptions): Promise<void> {
  // Recording comes first on a small machine, while all that reads is loaded, too.
  const { lowerPriority } = await import('../platform/low-priority.js')
  lowerPriority()
  const [
    { writeFile },
    { makeReport },
    { freshSettings },
    { requireDate },
    { requireTree },
    { writeWhole },
    { sizeText },
    { showProgress },
  ] = await Promise.all([
    import('node:fs/promises'),
    import('../reader/report/make-report.js'),
    import('../reader/query/fresh-settings.js'),
    import('../platform/utc-date.js'),
    import('../formats/tree-place.js'),
    import('./output.js'),
    import('../platform/figures.js'),
    import('../platform/progress-bar.js'),
  ])
  requireDate(date)
  const settings = freshSettings(path, config)
  requireTree(settings.root)
  const progress = showProgress('report', 0, 'steps')
  const print = (text: string) => progress.aside(() => process.stderr.write(`edgetape: ${text}\n`))
  const html = await makeReport({
    root: settings.root,
    date,
    exchange,
    nowMs: Date.now(),
    fresh: fresh ? settings.fresh : undefined,
    note: print,
    onStep: progress.reach,
    leftOut: ({ message }) => {
      process.exitCode = exitCodes.failure
      print(`${message}; its rows are not in the report`)
    },
  }).finally(progress.stop)
  const file = out ?? `report-${date}.html`
  await writeWhole(file, temporary => writeFile(temporary, html))
  process.stdout.write(`${file}: ${sizeText(Buffer.byteLength(html))}\n`)
}

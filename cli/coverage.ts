import { Command } from 'commander'
import { EdgeError } from '../platform/edge-error.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface CoverageOptions extends ConfigOption {
  date?: string
  from?: string
  json?: boolean
  markdown?: boolean
}

export function coverageCommand(): Command {
  return withConfig(
    new Command('coverage')
      .description('what was collected against what was expected, per kind of data and instrument')
      .option('--date <date>', 'only this day (UTC), e.g. 2026-11-22')
      .option('--from <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--json', 'for programs')
      .option('--markdown', 'for documents'),
  ).action(coverage)
}

async function coverage(options: CoverageOptions): Promise<void> {
  const [{ loadConfig }, { measureCoverage }, { asJson, asMarkdown, asText }] = await Promise.all([
    import('../config/load.js'),
    import('./coverage/measure.js'),
    import('./coverage/print.js'),
  ])
  if (options.date !== undefined && !/^\d{4}-\d\d-\d\d$/.test(options.date))
    throw new EdgeError('DATE_INVALID', `found --date ${options.date}, wanted a day such as 2026-11-22`)
  const result = await measureCoverage(options.from ?? loadConfig(options.config).dataDir, options.date)
  const print = options.json ? asJson : options.markdown ? asMarkdown : asText
  process.stdout.write(`${print(result)}\n`)
}

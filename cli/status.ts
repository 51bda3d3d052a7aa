import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

interface StatusOptions extends ConfigOption {
  json?: boolean
}

export function statusCommand(): Command {
  return withConfig(
    new Command('status').description('what the parts are doing now').option('--json', 'for programs'),
  ).action(status)
}

async function status({ config: path, json }: StatusOptions): Promise<void> {
  const [{ loadConfig }, { asText, parts, reportOf }] = await Promise.all([
    import('../config/load.js'),
    import('./status/report.js'),
  ])
  const { dataDir } = loadConfig(path)
  const reports = parts.map(part => reportOf(part, dataDir))
  process.stdout.write(`${json ? JSON.stringify(reports, null, 2) : asText(reports, Date.now())}\n`)
}

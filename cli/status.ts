import { Command } from 'commander'
import type { Observation } from '../monitor/observe/observation.js'
import { withConfig, type ConfigOption } from './config-option.js'

interface StatusOptions extends ConfigOption {
  json?: boolean
  watch?: boolean
}

export function statusCommand(): Command {
  return withConfig(
    new Command('status')
      .description('what each program is doing now, read from its files, so that dead ones are shown as dead')
      .option('--watch', 'refresh every second until Ctrl-C')
      .option('--json', 'for programs; with --watch one object a line'),
  ).action(status)
}

async function status({ config: path, json = false, watch = false }: StatusOptions): Promise<void> {
  const [{ loadConfig }, { recorderTags }, { Observer }, { screenOf }, { AccountOfToday }] = await Promise.all([
    import('../config/load.js'),
    import('../config/one-exchange.js'),
    import('../monitor/observe/observer.js'),
    import('./status/screen.js'),
    import('../monitor/observe/account-of-today.js'),
  ])
  const config = loadConfig(path)
  const observer = new Observer(config.dataDir, undefined, recorderTags(config))
  const today = new AccountOfToday(config.dataDir)
  const textOf = (seen: Observation) =>
    json ? JSON.stringify({ ...seen, gaps: undefined }, null, watch ? 0 : 2) : screenOf(seen, process.stdout.columns)
  if (watch) {
    const [{ showEverySecond }] = await Promise.all([import('./status/watch.js'), today.measure()])
    return showEverySecond(() => textOf(today.with(observer.look())), json)
  }
  const [seen] = await Promise.all([observer.lookForRates(), today.measure()])
  process.stdout.write(`${textOf(today.with(seen))}\n`)
}

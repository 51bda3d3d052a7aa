import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

interface AlertsOptions extends ConfigOption {
  json?: boolean
}

export function alertsCommand(): Command {
  return withConfig(
    new Command('alerts')
      .description('send a test message to each receiver of alerts')
      .argument('<test>', 'test: send each receiver a message, now; exit code 1 where one did not take it')
      .option('--json', 'the outcome as JSON'),
  ).action(tryAlerts)
}

async function tryAlerts(what: string, { config: path, json }: AlertsOptions): Promise<void> {
  const [
    { EdgeError },
    { loadConfig },
    { onShutdown },
    { testAlerts },
    { plainTable },
    { proxyFrom },
    { openProxyWay },
  ] = await Promise.all([
    import('../platform/edge-error.js'),
    import('../config/load.js'),
    import('../platform/shutdown.js'),
    import('../monitor/alerts/test-alerts.js'),
    import('./table.js'),
    import('../config/secrets.js'),
    import('../platform/proxy.js'),
  ])
  if (what !== 'test')
    throw new EdgeError('ALERTS_WHAT', `found ${JSON.stringify(what)}, wanted: test`, {
      hint: 'edgetape alerts test',
    })
  const config = loadConfig(path)
  await openProxyWay(proxyFrom(config.proxy, process.env))
  const stop = new AbortController()
  onShutdown(() => stop.abort())
  const results = await testAlerts(config, stop.signal)
  if (json) process.stdout.write(`${JSON.stringify(results)}\n`)
  else
    process.stdout.write(
      `${plainTable(
        [],
        results.map(({ receiver, error }) => [receiver, error ?? 'delivered']),
      )}\n`,
    )
  if (results.some(({ error }) => error !== undefined)) process.exitCode = 1
}

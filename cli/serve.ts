import { resolve } from 'node:path'
import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

export function serveCommand(): Command {
  return withConfig(
    new Command('serve').description(
      'status page, metrics and health checks over HTTP; edgetape run starts it, too (http.enabled)',
    ),
  ).action(serveUntilStopped)
}

async function serveUntilStopped({ config: path }: ConfigOption): Promise<void> {
  const [
    { loadConfig },
    { proxyFrom },
    { createLogger },
    { openProxyWay },
    { onShutdown },
    { attendSystemd },
    { serve },
  ] = await Promise.all([
    import('../config/load.js'),
    import('../config/secrets.js'),
    import('../platform/log.js'),
    import('../platform/proxy.js'),
    import('../platform/shutdown.js'),
    import('../platform/systemd.js'),
    import('../monitor/http/serve.js'),
  ])
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  const config = loadConfig(path)
  const log = createLogger('serve')
  await openProxyWay(proxyFrom(config.proxy, process.env))
  const leaveSystemd = attendSystemd(log)
  await serve({ config, configPath: resolve(path), log, signal: stop.signal })
  leaveSystemd()
}

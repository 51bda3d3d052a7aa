import { resolve } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

interface RecordFlags extends ConfigOption {
  exchange?: string
  takeOver?: boolean
}

export function recordCommand(): Command {
  return withConfig(
    new Command('record')
      .description('record the exchange until stopped (SIGTERM, SIGINT, SIGHUP)')
      .option('--exchange <name>', 'which of several exchanges of the config')
      .option('--take-over', 'if a recorder is running here, record beside it, then ask it to end: nothing is missed'),
  ).action(record)
}

/**
 * Hardly anything of a frame outlives its callback, so that collecting the young heap costs little at any size: it stays
 * as it begins, instead of growing to three times 16 MiB. To be called before the parts are loaded: it never shrinks.
 */
function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

async function record({ config: path, exchange: name, takeOver = false }: RecordFlags): Promise<void> {
  keepYoungHeapSmall()
  const [
    { loadConfig },
    { oneExchange },
    { credentialsFrom, proxyFrom },
    { exchangeOf },
    { createLogger },
    { openProxyWay },
    { onShutdown },
    systemd,
    { runRecorder },
    succession,
  ] = await Promise.all([
    import('../config/load.js'),
    import('../config/one-exchange.js'),
    import('../config/secrets.js'),
    import('../exchanges/registry.js'),
    import('../platform/log.js'),
    import('../platform/proxy.js'),
    import('../platform/shutdown.js'),
    import('../platform/systemd.js'),
    import('../recorder/main.js'),
    import('../supervisor/succession.js'),
  ])
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason), { signals: succession.endingSignals(process.env) })
  const config = loadConfig(path)
  const exchange = oneExchange(config, name)
  const credentials = credentialsFrom(exchangeOf(exchange), process.env)
  const log = createLogger('recorder')
  const { dataDir, host, sync } = config
  const proxy = await openProxyWay(proxyFrom(config.proxy, process.env))
  log.info({ config: resolve(path), exchange: exchange.name, dataDir, host, target: sync.target, proxy }, 'recording')
  const leaveSystemd = systemd.attendSystemd(log)
  // Started by systemd itself: its reload has this process start the one that takes its place.
  if (systemd.isUnderSystemd(process.env)) process.on('SIGHUP', () => succession.startSuccessor(log))
  await runRecorder({
    config,
    exchange,
    credentials,
    log,
    signal: stop.signal,
    ...(takeOver && { takeOver: () => succession.becomeMainProcess(log) }),
  })
  leaveSystemd()
  process.exitCode = 0
}

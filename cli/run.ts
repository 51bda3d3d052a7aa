import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import type { Part } from '../supervisor/supervisor.js'
import { withConfig, type ConfigOption } from './config-option.js'
import { recorderMemory, recorderNodeFlags } from '../supervisor/node-flags.js'

export function runCommand(): Command {
  return withConfig(
    new Command('run').description(
      'run everything: record each exchange, compact, sync and serve, as separate processes, restarted when they die',
    ),
  ).action(run)
}

async function run({ config: path }: ConfigOption): Promise<void> {
  const [
    { hasReceiver },
    { loadConfig },
    { recorderTag },
    { createLogger },
    { onShutdown },
    { attendSystemd },
    { endingSignals },
    { supervise },
  ] = await Promise.all([
    import('../monitor/alerts/receivers.js'),
    import('../config/load.js'),
    import('../config/one-exchange.js'),
    import('../platform/log.js'),
    import('../platform/shutdown.js'),
    import('../platform/systemd.js'),
    import('../supervisor/succession.js'),
    import('../supervisor/supervisor.js'),
  ])
  const config = loadConfig(path)
  const { sync, http, alerts, report } = config
  const log = createLogger('supervisor')
  const parts = [
    ...config.exchanges.map(({ name }) => recorderPart(path, recorderTag(config, name))),
    partOf('compact', path),
    ...(sync.target === undefined ? [] : [partOf('sync', path)]),
    ...(http.enabled || hasReceiver(alerts) || report.nightly ? [partOf('serve', path)] : []),
  ]
  if (sync.target === undefined) log.info('no sync.target in the config: nothing is shipped')
  const stop = new AbortController()
  const orders = new EventEmitter()
  const signals = endingSignals(process.env)
  onShutdown(
    reason => {
      log.info({ reason }, 'stopping')
      stop.abort(reason)
    },
    {
      signals,
      atOnce: () => {
        log.error('second request to stop: killing what still runs')
        orders.emit('kill')
      },
    },
  )
  if (sync.target !== undefined) {
    const { requireTargetElsewhere } = await import('../syncer/main.js')
    await requireTargetElsewhere(config, stop.signal)
  }
  const renew = () => {
    log.info('restarting all parts')
    orders.emit('renew')
  }
  process.on('SIGUSR2', renew)
  if (!signals.includes('SIGHUP')) process.on('SIGHUP', renew)
  const leaveSystemd = attendSystemd(log)
  const clean = await supervise(parts, log, stop.signal, orders)
  leaveSystemd()
  process.exitCode = clean ? 0 : 1
}

/** A command of ours as a part, with the config file that this process has checked. */
function partOf(name: string, configPath: string, ...more: string[]): Part {
  // As it was called: a link may lead to a newer release by the time a part is started anew.
  const main = process.argv[1] ?? fileURLToPath(new URL('./main.js', import.meta.url))
  return { name, args: [main, name, '--config', resolve(configPath), ...more] }
}

/** @param exchange undefined where the config has only one */
function recorderPart(configPath: string, exchange: string | undefined): Part {
  const { name, args } = partOf('record', configPath, ...(exchange === undefined ? [] : ['--exchange', exchange]))
  const own = [...recorderNodeFlags, ...args]
  return {
    name: exchange === undefined ? name : `${name} ${exchange}`,
    args: own,
    takeOverArgs: [...own, '--take-over'],
    memory: recorderMemory,
  }
}

import { setFlagsFromString } from 'node:v8'
import { Command } from 'commander'
import { withConfig, type ConfigOption } from './config-option.js'

export function recordCommand(): Command {
  return withConfig(
    new Command('record').description('record the exchange until told to stop (SIGTERM, SIGINT)'),
  ).action(record)
}

/**
 * Hardly anything of a frame outlives its callback, so that collecting the young heap costs little at any size: it stays
 * as it begins, instead of growing to three times 16 MiB. To be called before the parts are loaded: it never shrinks.
 */
function keepYoungHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

async function record({ config: path }: ConfigOption): Promise<void> {
  keepYoungHeapSmall()
  const [{ loadConfig }, { credentialsFrom }, { createLogger }, { onShutdown }, { attendSystemd }, { runRecorder }] =
    await Promise.all([
      import('../config/load.js'),
      import('../config/secrets.js'),
      import('../platform/log.js'),
      import('../platform/shutdown.js'),
      import('../platform/systemd.js'),
      import('../recorder/main.js'),
    ])
  const stop = new AbortController()
  onShutdown(reason => stop.abort(reason))
  const config = loadConfig(path)
  const credentials = credentialsFrom(process.env)
  const log = createLogger('recorder')
  const leaveSystemd = attendSystemd(log)
  await runRecorder({ config, credentials, log, signal: stop.signal })
  leaveSystemd()
  process.exitCode = 0
}

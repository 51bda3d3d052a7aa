import { Command, Option } from 'commander'
import type { Credential } from '../exchanges/simulation.js'
import { onShutdown } from '../platform/shutdown.js'
import { nonNegativeNumber, portNumber } from './number-options.js'
import { notes } from './help/notes.js'

interface SimulateFlags {
  exchange: string
  port: number
  listen: string
  seed: number
  rate: number
  options: number
  speed: number
  recorded?: string
  truthFile?: string
}

/**
 * `edgetape simulate`: a simulated exchange until stopped.
 * @param isWhole with `--exchange`, for which all of them are loaded
 */
export async function simulateCommand(isWhole: boolean): Promise<Command> {
  const command = new Command('simulate').description(
    'a simulated exchange: instruments, books, trades, faults on demand',
  )
  if (isWhole) command.addOption(await exchangeOption('whose protocol it speaks'))
  return command
    .option('--port <n>', 'port to listen on, 0 for any free one', portNumber, 8090)
    .option('--listen <address>', 'address to listen on', '127.0.0.1')
    .option('--seed <n>', 'decides the market it makes', nonNegativeNumber, 1)
    .option('--rate <n>', 'market events per second', nonNegativeNumber, 500)
    .option('--options <n>', 'how many to list, besides perpetuals, futures, spot and combos', nonNegativeNumber, 400)
    .option(
      '--speed <x>',
      'simulated time per real time; with --recorded 0 is as fast as possible',
      nonNegativeNumber,
      1,
    )
    .option('--recorded <file>', 'serve the frames of a recorded session in place of a market')
    .option('--truth-file <file>', 'write there what it did, and every frame that it made')
    .addHelpText(
      'after',
      notes(
        'Logins: EDGETAPE_SIMULATE_CLIENT_ID and EDGETAPE_SIMULATE_CLIENT_SECRET in the environment, else nobody can log in.',
        'Faults: POST /control/fault, e.g. {"type":"drop","channel":"book.BTC-PERPETUAL.100ms"}.',
      ),
    )
    .action(async (flags: SimulateFlags) => {
      const asked = new Promise<void>(resolve => onShutdown(() => resolve()))
      const [{ startSimulator }, { simulationOf }] = await Promise.all([
        import('../simulator/main.js'),
        import('../exchanges/registry.js'),
      ])
      const { exchange, listen: host, options: instruments, ...others } = flags
      const { protocol } = await simulationOf(exchange)
      const simulator = await startSimulator(protocol({ credentials: credentialsFrom(process.env) }), {
        ...others,
        host,
        instruments,
      })
      process.stdout.write(`${simulator.url}\n`)
      await asked
      await simulator.close()
    })
}

/** `--exchange`, of those that can be simulated. */
export async function exchangeOption(meaning: string): Promise<Option> {
  const { simulatedNames } = await import('../exchanges/registry.js')
  return new Option('--exchange <name>', meaning).choices(simulatedNames).default(simulatedNames[0])
}

function credentialsFrom(environment: NodeJS.ProcessEnv): Credential[] {
  const clientId = environment['EDGETAPE_SIMULATE_CLIENT_ID']
  const clientSecret = environment['EDGETAPE_SIMULATE_CLIENT_SECRET']
  return clientId && clientSecret ? [{ clientId, clientSecret }] : []
}

import { EdgeError } from '../platform/edge-error.js'
import { exchanges } from '../exchanges/registry.js'
import type { Simulation } from '../exchanges/simulation.js'

/** Names of the exchanges that can be simulated, the default first. */
export const simulatedNames: readonly string[] = exchanges.flatMap(({ name, simulation }) => (simulation ? [name] : []))

/**
 * How an exchange speaks over the simulated market, and of recordings.
 * @throws EdgeError EXCHANGE_NOT_SIMULATED
 */
export async function simulationOf(name = simulatedNames[0]): Promise<Simulation> {
  const simulation = await exchanges.find(exchange => exchange.name === name)?.simulation?.()
  if (simulation) return simulation
  throw new EdgeError(
    'EXCHANGE_NOT_SIMULATED',
    `found exchange ${name ?? ''}, wanted one of ${simulatedNames.join(', ')}`,
    {
      hint: 'choose another --exchange',
    },
  )
}

import type { Config } from '../../config/schema.js'
import type { ConfigValues } from './config-text.js'

export const instrumentKinds = ['perpetual', 'future', 'option', 'spot', 'combo'] as const
export type InstrumentKind = (typeof instrumentKinds)[number]

/** What `init` asks, or takes as flags; what is left out gets the schema's default. */
export interface Answers {
  dataDir?: string
  host?: string
  url?: string
  currencies?: readonly string[]
  kinds?: readonly InstrumentKind[]
  interval?: Config['exchange'] extends infer T ? (T extends { interval: infer I } ? I : never) : never
  redundancy?: 1 | 2
  /** '' for none. */
  target?: string
  sshKey?: string
  sshPort?: number
  knownHosts?: string
  passwordFile?: string
  keepHours?: number
}

/** The answers as values of a config file, in the order in which a person reads one. Pure. */
export function valuesOf(answers: Answers): ConfigValues {
  const { dataDir, host, url, currencies, kinds, interval, redundancy, keepHours } = answers
  const { target, sshKey, sshPort, knownHosts, passwordFile } = answers
  const unwanted = kinds ? instrumentKinds.filter(kind => !kinds.includes(kind)) : []
  return told({
    host,
    dataDir,
    exchange: told({
      name: 'deribit',
      url,
      currencies,
      interval,
      redundancy,
      channels: unwanted.length === 0 ? undefined : Object.fromEntries(unwanted.map(kind => [kind, []])),
    }),
    sync: target ? told({ target, sshKey, sshPort, knownHosts, passwordFile }) : undefined,
    retention: keepHours === undefined ? undefined : { keepHours },
  })
}

function told(values: Readonly<Record<string, ConfigValues[string] | undefined>>): ConfigValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ConfigValues
}

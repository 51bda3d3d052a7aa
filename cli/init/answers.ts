import { resolve } from 'node:path'
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

const PATHS = ['dataDir', 'target', 'sshKey', 'knownHosts', 'passwordFile'] as const

/**
 * Relative paths as a shell means them, from the working directory, for a config that lies elsewhere: there they begin in
 * its own folder. Pure.
 */
export function pathsFor(configFolder: string, answers: Answers, workingFolder: string): Answers {
  if (configFolder === workingFolder) return answers
  const paths = PATHS.flatMap(key => {
    const path = answers[key]
    if (path === undefined || path === '' || /^[/~]/.test(path)) return []
    // What names another machine is no path here.
    if (key === 'target' && !/^\.{1,2}\//.test(path)) return []
    return [[key, resolve(workingFolder, path)] as const]
  })
  return { ...answers, ...Object.fromEntries(paths) }
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

import { resolve } from 'node:path'
import { exchanges } from '../../exchanges/registry.js'
import type { Answers as ExchangeAnswers, ConfigValue, ConfigValues } from '../../exchanges/settings.js'

/** What `init` asks, or takes as flags; what is left out gets the schema's default. */
export interface Answers {
  dataDir?: string
  host?: string
  /** What the exchange's own questions were answered. */
  exchange?: ExchangeAnswers
  /** '' for none. */
  target?: string
  sshKey?: string
  sshPort?: number
  knownHosts?: string
  passwordFile?: string
  keepHours?: number
}

/** Of which exchange a config is made. */
const [{ name, settings }] = exchanges
export const { questions, login } = settings

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
  const { dataDir, host, exchange = {}, keepHours } = answers
  const { target, sshKey, sshPort, knownHosts, passwordFile } = answers
  return told({
    host,
    dataDir,
    exchange: told({ name, ...settings.valuesOf(exchange) }),
    sync: target ? told({ target, sshKey, sshPort, knownHosts, passwordFile }) : undefined,
    retention: keepHours === undefined ? undefined : { keepHours },
  })
}

function told(values: Readonly<Record<string, ConfigValue | undefined>>): ConfigValues {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ConfigValues
}

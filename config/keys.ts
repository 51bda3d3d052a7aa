import { z } from 'zod'
import { configSchema } from './schema.js'
import { optionsOf } from './schema-walk.js'
import { genericExchange } from '../exchanges/generic/config.js'

/** One line of the table of keys. */
export interface ConfigKey {
  /** Dotted path, e.g. `segments.flushMs`. */
  key: string
  /** Default as it would stand in YAML; empty where there is none. */
  fallback: string
  meaning: string
}

/** Every key of the config for Deribit with default and meaning, in the order of the schema. */
export function configKeys(): ConfigKey[] {
  return keysBelow(configSchema, '')
}

/** The keys below `exchange` with `adapter: generic`, which stand in place of the others. */
export function genericExchangeKeys(): ConfigKey[] {
  return keysBelow(genericExchange, 'exchange.')
}

function keysBelow(schema: z.ZodObject, prefix: string): ConfigKey[] {
  return Object.entries(schema.shape).flatMap(([name, child]: [string, z.core.$ZodType]) => {
    const key = prefix + name
    const [inner] = optionsOf(child)
    if (inner) return keysBelow(inner, `${key}.`)
    const meaning = child instanceof z.ZodType ? (child.description ?? '') : ''
    return [{ key, fallback: name === 'host' && prefix === '' ? '' : fallbackOf(child), meaning }]
  })
}

function fallbackOf(schema: z.core.$ZodType): string {
  if (!(schema instanceof z.ZodDefault)) return ''
  const value: unknown = schema.def.defaultValue
  if (Array.isArray(value)) return `[${value.join(', ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The keys with default and meaning, as text; with a prefix only those that begin so. */
export function configHelp(prefix = ''): string {
  const begins = ({ key }: ConfigKey) => key.startsWith(prefix)
  const keys = configKeys().filter(begins)
  const ofFeeds = genericExchangeKeys().filter(begins)
  const width = Math.max(0, ...[...keys, ...ofFeeds].map(({ key }) => key.length))
  const line = ({ key, fallback, meaning }: ConfigKey) => {
    const tail = fallback === '' ? '' : ` (default ${fallback})`
    return `  ${key.padEnd(width)}  ${meaning}${tail}`
  }
  if (keys.length + ofFeeds.length === 0) return `No config key begins with ${prefix}.`
  const feeds = ['', 'With exchange.adapter: generic, in place of the exchange keys above (url is required):']
  return [
    'Config keys (YAML; only exchange.name is required; relative paths begin in the folder of the config, ~/ is the home folder):',
    ...keys.map(line),
    ...(ofFeeds.length > 0 ? [...feeds, ...ofFeeds.map(line)] : []),
  ].join('\n')
}

/** Keys as a table of docs/configuration.md. */
export function configTable(keys: readonly ConfigKey[]): string {
  const rows = keys.map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`,
  )
  return ['| key | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

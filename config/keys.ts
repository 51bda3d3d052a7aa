import { z } from 'zod'
import { configSchema } from './schema.js'
import { optionsOf } from './schema-walk.js'
import { genericExchange } from './generic-exchange.js'

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

/** The keys as the text under `--help`. */
export function configHelp(): string {
  const width = Math.max(...[...configKeys(), ...genericExchangeKeys()].map(({ key }) => key.length))
  const line = ({ key, fallback, meaning }: ConfigKey) => {
    const tail = fallback === '' ? '' : ` (default ${fallback})`
    return `  ${key.padEnd(width)}  ${meaning}${tail}`
  }
  return [
    'Config keys (YAML; only exchange.name is required):',
    ...configKeys().map(line),
    '',
    'With exchange.adapter: generic, in place of the exchange keys above (url is required):',
    ...genericExchangeKeys().map(line),
  ].join('\n')
}

/** Keys as a table of the README. */
export function configTable(keys: readonly ConfigKey[]): string {
  const rows = keys.map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`,
  )
  return ['| key | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

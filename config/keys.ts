import type { core } from 'zod'
import { z } from '../platform/zod.js'
import { configFile } from './schema.js'
import { optionsOf } from './schema-walk.js'
import { adapterSchemas } from './sections/exchange.js'
import { adapters } from '../exchanges/registry.js'
import { besides, wrapped } from '../platform/wrapped.js'

/** One line of the table of keys. */
export interface ConfigKey {
  /** Dotted path, e.g. `segments.flushMs`. */
  key: string
  /** Default as it would stand in YAML; empty where there is none. */
  fallback: string
  meaning: string
}

/** Every key of the config with default and meaning, in the order of the schema; below `exchange` those of the first exchange. */
export function configKeys(): ConfigKey[] {
  return keysBelow(configFile, '')
}

/** The keys below `exchange` with an adapter. */
export function exchangeKeys(adapter: string): ConfigKey[] {
  const schema = adapterSchemas[adapters.findIndex(({ name }) => name === adapter)]
  return schema === undefined ? [] : keysBelow(schema, 'exchange.')
}

function keysBelow(schema: z.ZodObject, prefix: string): ConfigKey[] {
  return Object.entries(schema.shape).flatMap(([name, child]: [string, core.$ZodType]) => {
    const key = prefix + name
    const [inner] = optionsOf(child)
    if (inner) return keysBelow(inner, `${key}.`)
    const meaning = child instanceof z.ZodType ? (child.description ?? '') : ''
    return [{ key, fallback: name === 'host' && prefix === '' ? '' : fallbackOf(child), meaning }]
  })
}

function fallbackOf(schema: core.$ZodType): string {
  if (!(schema instanceof z.ZodDefault)) return ''
  const value: unknown = schema.def.defaultValue
  if (Array.isArray(value)) return `[${value.join(', ')}]`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** The keys with default and meaning, as text; with a prefix only those that begin so. */
export function configHelp(prefix = ''): string {
  const begins = ({ key }: ConfigKey) => key.startsWith(prefix)
  const keys = configKeys().filter(begins)
  const others = adapters.slice(1).map(({ name }) => ({ name, keys: exchangeKeys(name).filter(begins) }))
  const width = Math.max(0, ...[...keys, ...others.flatMap(({ keys }) => keys)].map(({ key }) => key.length))
  const line = ({ key, fallback, meaning }: ConfigKey) => {
    const tail = fallback === '' ? '' : ` (default ${fallback})`
    return besides(key, `${meaning}${tail}`, width)
  }
  if (keys.length + others.flatMap(({ keys }) => keys).length === 0) return `No config key begins with ${prefix}.`
  const headOf = (name: string) => ['', `With exchange.adapter: ${name} (url is required), in place of the keys above:`]
  return [
    wrapped(
      'Config keys (YAML; only exchange.name is required; relative paths begin in the folder of the config, ~/ is the home folder):',
    ),
    ...keys.map(line),
    ...others.flatMap(({ name, keys }) => (keys.length > 0 ? [...headOf(name), ...keys.map(line)] : [])),
  ].join('\n')
}

/** Keys as a table of docs/configuration.md. */
export function configTable(keys: readonly ConfigKey[]): string {
  const rows = keys.map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`,
  )
  return ['| key | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

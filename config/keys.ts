import { z } from 'zod'
import { configSchema } from './schema.js'
import { unwrap } from './schema-walk.js'

/** One line of the table of keys. */
export interface ConfigKey {
  /** Dotted path, e.g. `segments.flushMs`. */
  key: string
  /** Default as it would stand in YAML; empty where there is none. */
  fallback: string
  meaning: string
}

/** Every key of the config with default and meaning, in the order of the schema. */
export function configKeys(): ConfigKey[] {
  return keysBelow(configSchema, '')
}

function keysBelow(schema: z.ZodObject, prefix: string): ConfigKey[] {
  return Object.entries(schema.shape).flatMap(([name, child]: [string, z.core.$ZodType]) => {
    const key = prefix + name
    const inner = unwrap(child)
    if (inner instanceof z.ZodObject) return keysBelow(inner, `${key}.`)
    const meaning = child instanceof z.ZodType ? (child.description ?? '') : ''
    return [{ key, fallback: name === 'host' && prefix === '' ? '' : fallbackOf(child), meaning }]
  })
}

function fallbackOf(schema: z.core.$ZodType): string {
  if (!(schema instanceof z.ZodDefault)) return ''
  const value: unknown = schema.def.defaultValue
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
}

/** The keys as the text under `--help`. */
export function configHelp(): string {
  const width = Math.max(...configKeys().map(({ key }) => key.length))
  const lines = configKeys().map(({ key, fallback, meaning }) => {
    const tail = fallback === '' ? '' : ` (default ${fallback})`
    return `  ${key.padEnd(width)}  ${meaning}${tail}`
  })
  return ['Config keys (YAML; only exchange.name is required):', ...lines].join('\n')
}

/** The keys as the README's table. */
export function configTable(): string {
  const rows = configKeys().map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${meaning} |`,
  )
  return ['| key | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}

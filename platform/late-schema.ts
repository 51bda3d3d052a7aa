import { createRequire, Module } from 'node:module'
import { dirname, join } from 'node:path'
import type { z } from 'zod'

export type Zod = typeof z

/**
 * `zod` without what it says in sixty languages but English, which it would load for nothing: 3.3 MiB and 15 ms of every
 * program. Should its files ever lie elsewhere, they are loaded as they are.
 */
export function loadZod(): Zod {
  const require = createRequire(import.meta.url)
  const languages = join(dirname(require.resolve('zod/package.json')), 'v4/locales/index.cjs')
  require.cache[languages] ??= Object.assign(new Module(languages), { loaded: true })
  return (require('zod') as { z: Zod }).z
}

/** A schema of what is seldom read: made, and `zod` loaded, when it is asked for first. */
export function lateSchema<Schema>(make: (z: Zod) => Schema): () => Schema {
  let made: Schema | undefined
  return () => (made ??= make(loadZod()))
}

import { partitionFolders } from '../formats/partition-folders.js'
import { placeOf } from '../formats/segment-files.js'
import { EdgeError } from '../platform/edge-error.js'

/** Exchanges of which a tree holds files, in the order of their names. */
export function exchangesIn(root: string): string[] {
  const folders = ['raw', 'parquet'].flatMap(path => [
    ...partitionFolders(root, { path, values: {} }, [{ key: 'exchange' }], {}),
  ])
  return [...new Set(folders.map(({ values }) => values['exchange'] ?? ''))].sort()
}

/** Where frames of one exchange are read below a tree. */
export const rawOf = (root: string, exchange: string) => `${root}/raw/exchange=${exchange}`

/**
 * The exchange that is meant by its name, or the only one that is recorded at a path: a dataDir, its copy, or a place below
 * its `raw/`; and where its frames are read.
 * @throws EdgeError READ_NO_RAW, EXCHANGE_NOT_RECORDED, EXCHANGE_NOT_NAMED
 */
export function recordedExchange(path: string, name?: string): { exchange: string; path: string } {
  const { root, below } = placeOf(path)
  const named = /^raw\/exchange=([^/]+)/.exec(below)?.[1]
  if (named !== undefined) return { exchange: oneOf([named], name, path), path }
  const exchange = oneOf(exchangesIn(root), name, path)
  return { exchange, path: rawOf(root, exchange) }
}

/** @throws EdgeError EXCHANGE_NOT_RECORDED, EXCHANGE_NOT_NAMED */
export function oneOf(found: readonly string[], name: string | undefined, path: string): string {
  const [only, ...others] = name === undefined ? found : found.filter(each => each === name)
  if (only !== undefined && others.length === 0) return only
  const known = found.join(' and ')
  if (only !== undefined)
    throw new EdgeError('EXCHANGE_NOT_NAMED', `${path}: it may be of ${known}`, {
      path,
      hint: 'name one with --exchange',
    })
  const what =
    name === undefined ? 'nothing is recorded there' : `found exchange ${name}, recorded are ${known || 'none'}`
  throw new EdgeError('EXCHANGE_NOT_RECORDED', `${path}: ${what}`, { path })
}

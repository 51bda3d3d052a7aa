import { SAFE_PATH_VALUE } from '../../formats/raw-path.js'
import { RECORDER_NAME } from '../../formats/recorder-name.js'
import type { Exchange } from '../../exchanges/exchange.js'
import { exchangeNamed, exchanges } from '../../exchanges/registry.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { LineReader } from './foreign-line.js'
import { sourceLines, type SourceFile } from './source-files.js'

/** Lines that are looked at to see which exchange they are of. */
const LOOKED_AT = 1000

/** Whose frames they are, and in which family those go that name no channel. */
export interface ImportTarget {
  exchange: Exchange
  exchangeName: string
  family: string | undefined
}

/**
 * What is imported, by what was said, or by the frames: the first exchange that knows a channel of theirs.
 * @throws EdgeError IMPORT_OPTIONS, IMPORT_EXCHANGE
 */
export async function importTarget(
  { exchange: name, family }: { exchange?: string | undefined; family?: string | undefined },
  files: readonly SourceFile[],
  read: LineReader,
): Promise<ImportTarget> {
  for (const value of [name, family])
    if (value !== undefined && !SAFE_PATH_VALUE.test(value))
      throw new EdgeError('IMPORT_OPTIONS', `found ${value}, wanted letters, digits, dots, _ and - alone`)
  const exchange = name === undefined ? await exchangeOfLines(files, read) : exchangeNamed(name)
  if (exchange)
    // Of what no exchange's folder knows, the family says that nothing is: it has rows of table frames.
    return exchanges.includes(exchange)
      ? { exchange, exchangeName: name ?? exchange.name, family }
      : { exchange, exchangeName: name ?? exchange.name, family: `frames.${family ?? 'import'}` }
  throw new EdgeError('IMPORT_EXCHANGE', `the first ${LOOKED_AT} lines name no channel of ${known()}`, {
    hint: 'say whose frames they are with --exchange NAME; those of an exchange that is not known become rows of table frames',
  })
}

const known = () => exchanges.map(({ title }) => title).join(', ')

async function exchangeOfLines(files: readonly SourceFile[], read: LineReader): Promise<Exchange | undefined> {
  let looked = 0
  for (const { path } of files)
    for await (const { line } of sourceLines(path, 0, () => undefined)) {
      const found = read(line)
      if (found.kind === 'frame') {
        const exchange = exchanges.find(({ frames, names }) => {
          const channel = frames.channelOf(found.frame, '')
          return channel !== undefined && names.familyOfChannel(channel) !== 'other'
        })
        if (exchange) return exchange
      }
      if (++looked === LOOKED_AT) return undefined
    }
  return undefined
}

/** @throws EdgeError IMPORT_OPTIONS a host that no recorder could have */
export function requireHost(host: string): string {
  if (new RegExp(`^${RECORDER_NAME}$`).test(host) && !host.includes('_')) return host
  throw new EdgeError('IMPORT_OPTIONS', `found --host ${host}, wanted letters, digits, dots and - alone`)
}

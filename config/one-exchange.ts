import type { ExchangeConfig } from '../exchanges/settings.js'
import { EdgeError } from '../platform/edge-error.js'
import type { Config } from './schema.js'

/**
 * The exchange of a config that is meant by its name, or the only one.
 * @throws EdgeError EXCHANGE_NOT_NAMED there are several and none is named; EXCHANGE_NOT_CONFIGURED
 */
export function oneExchange({ exchanges }: Pick<Config, 'exchanges'>, name?: string): ExchangeConfig {
  const isMeant = (exchange: ExchangeConfig) => exchange.name === name
  const found = name === undefined && exchanges.length === 1 ? exchanges[0] : exchanges.find(isMeant)
  if (found) return found
  const known = exchanges.map(exchange => exchange.name).join(', ')
  if (name === undefined)
    throw new EdgeError('EXCHANGE_NOT_NAMED', `the config has several exchanges: ${known}`, {
      hint: 'name one with --exchange',
    })
  throw new EdgeError('EXCHANGE_NOT_CONFIGURED', `found exchange ${name}, wanted one of the config: ${known}`, {
    hint: 'choose another --exchange, or add it below exchanges in the config',
  })
}

/** What distinguishes the status files of a config's recorders: their exchange, where there are several. */
export function recorderTag({ exchanges }: Pick<Config, 'exchanges'>, exchange: string): string | undefined {
  return exchanges.length === 1 ? undefined : exchange
}

export const recorderTags = (config: Pick<Config, 'exchanges'>) =>
  config.exchanges.map(({ name }) => recorderTag(config, name))

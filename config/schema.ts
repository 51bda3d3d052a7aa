import { z } from '../platform/zod.js'
import type { ExchangeConfig } from '../exchanges/settings.js'
import { alerts } from './sections/alerts.js'
import { compact } from './sections/compact.js'
import { exchange } from './sections/exchange.js'
import { host } from './sections/host.js'
import { http } from './sections/http.js'
import { proxy } from './sections/proxy.js'
import { report } from './sections/report.js'
import { retention } from './sections/retention.js'
import { segments } from './sections/segments.js'
import { sync } from './sections/sync.js'
import { verify } from './sections/verify.js'
import { path } from './values.js'

/**
 * Everything that a config file may say: types, defaults, checks and meanings. `help config`, docs/configuration.md and
 * every complaint come from here. Units end the names.
 */
const keys = z.strictObject({
  host,
  dataDir: path.default('./data').describe('folder for everything that edgetape writes'),
  exchange: exchange.optional(),
  exchanges: z
    .array(exchange)
    .min(1)
    .optional()
    .describe('in place of `exchange`: a list of exchanges, each with the same keys and its own recorder'),
  segments,
  compact,
  sync,
  retention,
  verify,
  http,
  report,
  alerts,
  proxy,
})

export const configFile = keys.superRefine(eachOnce)

type ConfigFile = z.infer<typeof configFile>

/** One exchange or several, each by a name of its own: their files and locks bear it. */
function eachOnce({ exchange, exchanges = [] }: Pick<ConfigFile, 'exchange' | 'exchanges'>, context: z.RefinementCtx) {
  const complain = (path: (string | number)[], input: unknown, message: string) =>
    context.addIssue({ code: 'custom', path, input, message })
  if (exchange && exchanges.length > 0) complain(['exchanges'], exchanges.length, 'exchange or exchanges, not both')
  if (!exchange && exchanges.length === 0) complain(['exchange'], undefined, 'keys with values')
  for (const [at, { name }] of exchanges.entries()) {
    if (exchanges.findIndex(other => other.name === name) < at)
      complain(['exchanges', at, 'name'], name, 'each exchange once')
  }
}

/** What holds for all parts; each recorder is of one of the exchanges. */
export interface Config extends Omit<ConfigFile, 'exchange' | 'exchanges'> {
  readonly exchanges: readonly ExchangeConfig[]
}

/** What a config file that was found good says. Pure. */
export const configOf = ({ exchange, exchanges = [], ...rest }: ConfigFile): Config => ({
  ...rest,
  exchanges: exchange ? [exchange] : exchanges,
})

export const configSchema = configFile.transform(configOf)

/** What holds where no config says anything, in ./data; of no exchange. */
export const defaultConfig = (): Config => configOf(keys.parse({}))

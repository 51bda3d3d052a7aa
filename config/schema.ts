import { hostname } from 'node:os'
import { z } from 'zod'
import { lastToGiveWay, type Exchange } from '../exchanges/exchange.js'
import { adapters, exchanges } from '../exchanges/registry.js'
import type { ExchangeConfig } from '../exchanges/settings.js'
import { pathComplaint, pathMeta } from './paths.js'
import { targetComplaint } from './target-address.js'

/** A check whose complaint says what was wanted. */
function complainsBy(complaintOf: (text: string) => string | undefined) {
  return (input: string, context: z.core.$RefinementCtx<string>) => {
    const message = complaintOf(input)
    if (message !== undefined) context.addIssue({ code: 'custom', input, message })
  }
}

/** A whole number with its bounds, its default and its meaning. */
const whole = (least: number, most: number, fallback: number, meaning: string) =>
  z.int().min(least).max(most).default(fallback).describe(meaning)

/** The same of any number. */
const amount = (least: number, most: number, fallback: number, meaning: string) =>
  z.number().min(least).max(most).default(fallback).describe(meaning)

/** Makes any machine name fit for file names: the characters that every file system keeps apart. */
export const defaultHost = () => {
  const name = hostname()
    .replace(/[^A-Za-z0-9.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40)
  return name === '' ? 'localhost' : name
}

/** A path in the config: made absolute when it is loaded. */
const path = z.string().superRefine(complainsBy(pathComplaint)).meta(pathMeta('path'))

/** `name: generic`, or the name of an exchange, is as good as naming the adapter. */
function withAdapter(value: unknown, context: z.RefinementCtx): unknown {
  if (typeof value !== 'object' || value === null || 'adapter' in value || !('name' in value)) return value
  const { name } = value
  if (adapters.some(adapter => adapter.name === name)) return { adapter: name, ...value }
  const message = `${exchanges.map(exchange => exchange.name).join(', ')}, or any name together with adapter: generic`
  context.addIssue({ code: 'custom', path: ['name'], input: name, message })
  return z.NEVER
}

/** The keys below `exchange:` by adapter. A described feed may have any name but that of an exchange. */
async function adapterSchema({ name: adapter, settings }: Exchange): Promise<z.ZodObject> {
  const schema = await settings.schema()
  const isTaken = (name: unknown) => exchanges.some(exchange => exchange.name === name)
  if (isTaken(adapter)) return schema
  return schema.superRefine(({ name }, context) => {
    if (!isTaken(name)) return
    const message = `a name of your own for the feed; ${String(name)} has an adapter of its own`
    context.addIssue({ code: 'custom', path: ['name'], input: name, message })
  })
}

const [first, ...others] = adapters
export const adapterSchemas = [await adapterSchema(first), ...(await Promise.all(others.map(adapterSchema)))] as const

/** Whichever exchange it is: its own keys are known to its folder only. */
const exchange = z.preprocess(
  withAdapter,
  z.discriminatedUnion('adapter', adapterSchemas),
) as z.ZodType as z.ZodType<ExchangeConfig>

const lastFamilies = [...new Set(exchanges.flatMap(lastToGiveWay))]
const familyToGiveWay = z
  .string()
  .refine(
    name => /^[a-z][a-z0-9_.-]{0,63}$/.test(name) && !lastFamilies.includes(name),
    `a family other than ${lastFamilies.join(' and ')}`,
  )

const segments = z
  .strictObject({
    rotateMinutes: z
      .number()
      .min(0.1)
      .max(60)
      .refine(
        minutes => Number.isInteger(Math.round(60_000 * minutes) / 1000) && 3600 % Math.round(60 * minutes) === 0,
        {
          error: 'minutes that divide the hour, such as 60, 15 or 0.5',
        },
      )
      .default(60)
      .describe('longest span of one segment, minutes; divides the hour'),
    rotateMiB: amount(1, 1024, 64, 'size at which a segment is sealed early, MiB compressed'),
    flushMs: whole(50, 60_000, 1000, 'how often buffered frames become readable in the open segment, ms'),
    fsyncMs: whole(50, 60_000, 1000, 'how often they are made safe against a power cut, ms'),
    groupBy: z
      .enum(['family', 'family+kind', 'family+kind+currency'])
      .default('family')
      .describe('what the lines of one segment have in common: family, family+kind or family+kind+currency'),
    queueMiB: whole(
      8,
      4096,
      64,
      'frames held in memory while the disk is slow or full, MiB; beyond it the sockets are paused, or families give way',
    ),
    reserveMiB: whole(
      1,
      1024,
      8,
      'kept free on disk for the journal, for when there is no room for anything else, MiB',
    ),
    giveWay: z
      .array(familyToGiveWay)
      .optional()
      .describe(
        "families lost first, in this order, when the disk takes nothing and memory is full; trades and the journal are last; default: the exchange's least first",
      ),
    openFilesMax: whole(
      1,
      100_000,
      128,
      'open segments whose file is held open at once; the others are closed and opened again when needed',
    ),
  })
  .prefault({})

const compact = z
  .strictObject({
    memoryMiB: whole(96, 65_536, 256, 'memory bound of the converter, MiB'),
    threads: whole(1, 64, 1, 'threads of the converter'),
    order: z.enum(['oldest', 'newest']).default('oldest').describe('which segments of a backlog come first'),
    rollUp: z
      .boolean()
      .default(true)
      .describe(
        "make one file of a past day's hourly files, in each partition; see sync.superseded where files go through rsync",
      ),
    rollUpAfterMinutes: amount(0, 10_080, 60, 'how long after the end of a day (UTC) that is done, minutes'),
    doubles: z
      .enum(['drop', 'keep'])
      .default('drop')
      .describe('events received twice (two connections, backfill, two hosts): in the tables once, or each copy'),
    doublesWindowMs: whole(
      0,
      600_000,
      5000,
      'how far apart equal frames of two connections may be received to count as one event, ms',
    ),
  })
  .prefault({})

/** A daily span: hour and minute of its begin and of its end. */
export const dailyWindowPattern = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/

const sync = z
  .strictObject({
    target: z
      .string()
      .superRefine(complainsBy(targetComplaint))
      .meta(pathMeta('target'))
      .optional()
      .describe(
        'a folder (/path, ./path or ~/path), user@host:/path (rsync over ssh) or rsync://host/module/path; none: nothing is shipped',
      ),
    everyMinutes: amount(0, 1440, 5, 'time between passes, minutes; 0: as soon as a file is final'),
    window: z
      .string()
      .regex(dailyWindowPattern, 'two times of the day in UTC, such as 22:00-06:30')
      .optional()
      .describe('daily span in which files are handed over, UTC, such as 22:00-06:30; none: always'),
    bandwidthKiBps: whole(0, Infinity, 0, 'upload limit, KiB/s; 0: none'),
    timeoutSeconds: whole(
      2,
      3600,
      60,
      'silence of the target after which a transfer is given up and tried again, seconds',
    ),
    graceMinutes: amount(0, 1440, 15, 'time between shipping a file and trusting its checksum on the target, minutes'),
    superseded: z
      .enum(['keep', 'list'])
      .default('keep')
      .describe(
        "days at a target that rsync brings files to, where none is ever deleted; keep: its files stay by the hour, no day's file is made; list: a day's file is brought, and superseded/ lists the hours that readers must leave out",
      ),
    sshKey: path.optional().describe('private key for user@host:/path; none: those that ssh finds itself'),
    sshPort: z.int().min(1).max(65_535).optional().describe('port of sshd for user@host:/path; none: as ssh decides'),
    knownHosts: path
      .optional()
      .describe("file with the target's host key; none: as ssh decides. Unknown keys are always refused"),
    passwordFile: path
      .optional()
      .describe('file with the password for rsync://user@host/module, readable by its owner only'),
  })
  .prefault({})

const retention = z
  .strictObject({
    keepHours: amount(0, Infinity, 48, 'verified files stay here at least this long, hours'),
    minFreeGiB: amount(0, Infinity, 2, 'below this much free disk verified files go earlier, GiB'),
    maxDataGiB: amount(0, Infinity, 0, 'above this size of dataDir verified files go earlier, GiB; 0: no limit'),
  })
  .prefault({})

const http = z
  .strictObject({
    enabled: z.boolean().default(true).describe('status page and metrics, served by edgetape run and edgetape serve'),
    host: z
      .string()
      .min(1)
      .default('127.0.0.1')
      .describe('address they are served on; whoever reaches it may read them'),
    port: whole(0, 65_535, 9464, 'port they are served on; 0: any that is free, see the log'),
    noDataSeconds: amount(1, 86_400, 60, 'silence of the exchange after which /healthz and /readyz turn red, seconds'),
  })
  .prefault({})

const report = z
  .strictObject({
    nightly: z
      .boolean()
      .default(false)
      .describe('a report of each day once it is over, reports/date=…/report-….html in dataDir, shipped with the rest'),
  })
  .prefault({})

const alerts = z
  .strictObject({
    webhook: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('address that gets each alert as JSON by POST; none: no webhook'),
    webhookFile: path.optional().describe('file with that address, where it is a secret'),
    command: z
      .array(z.string())
      .min(1)
      .meta(pathMeta('command'))
      .optional()
      .describe(
        'program and arguments, run without a shell for each alert, which it gets as JSON on stdin; none: no command',
      ),
    noDataSeconds: amount(0, 86_400, 120, 'silence of the exchange that is told, seconds; 0: never'),
    unhealedMinutes: amount(
      0,
      1440,
      15,
      'age at which a gap is told that goes on, or that could heal and did not, minutes; 0: never',
    ),
    minFreeGiB: amount(0, Infinity, 1, 'free disk below which it is told, GiB; 0: never'),
    syncBehindHours: amount(
      0,
      720,
      6,
      'age of the oldest file not proven at the target at which it is told, hours; 0: never',
    ),
    clearMinutes: amount(0, 1440, 5, 'how long all must be well before the all-clear, minutes'),
    repeatHours: amount(0, 720, 12, 'time after which what still lasts is told again, hours; 0: never'),
    perHour: whole(1, 1000, 20, 'messages an hour at most; others wait'),
  })
  .prefault({})

const proxy = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .refine(text => !text.includes('@'), 'an address without a login: that belongs into EDGETAPE_PROXY_LOGIN')
      .optional()
      .describe('HTTP proxy for all that goes to exchanges and webhooks; none: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY'),
    except: z
      .array(z.string().min(1).max(253))
      .max(100)
      .default([])
      .describe('hosts that are reached without it, as in NO_PROXY; this machine always is'),
  })
  .prefault({})

/**
 * Everything that a config file may say: types, defaults, checks and meanings. `help config`, docs/configuration.md and
 * every complaint come from here. Units end the names.
 */
const keys = z.strictObject({
  host: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,39}$/, 'letters, digits, dots and dashes, at most 40')
    .default(defaultHost)
    .describe("part of every file name; default: the machine's host name"),
  dataDir: path.default('./data').describe('folder of everything that is written'),
  exchange: exchange.optional(),
  exchanges: z
    .array(exchange)
    .min(1)
    .optional()
    .describe('several in place of exchange: a list, each with the same keys and a recorder of its own'),
  segments,
  compact,
  sync,
  retention,
  http,
  report,
  alerts,
  proxy,
})

export const configFile = keys.superRefine(eachOnce)

type ConfigFile = z.infer<typeof configFile>

/** One exchange or several, each by a name of its own: it is what their files and locks are told apart by. */
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

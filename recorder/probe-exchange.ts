import { EventEmitter, once } from 'node:events'
import { EdgeError } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import { shownUrl } from '../platform/shown-url.js'
import type { Measured } from './clock-facts.js'
import { Flows } from './connection/family-flow.js'
import { Rhythm } from './connection/rhythm.js'
import { Link, type LinkEnd } from './connection/link.js'
import type { Adapter, ChannelPlan, Credentials } from '../exchanges/adapter.js'
import { familyOf, type Exchange } from '../exchanges/exchange.js'
import type { ExchangeConfig } from '../exchanges/settings.js'
import { exchangeOf } from '../exchanges/registry.js'
import { ReceiveClock } from './receive-clock.js'
import { FrameCounter } from './frame-router.js'

/** What a look at the exchange found. */
export interface ExchangeProbe {
  /** All that the config asks for, by family: channels, and frames a second that are expected of them, roughly. */
  families: ReadonlyMap<string, { channels: number; framesPerSecond: number }>
  /** The one channel that was subscribed; undefined for a described feed, which comes as a whole. */
  channel: string | undefined
  /** From dialling to the first frame of data, ms. */
  firstFrameMs: number
  /** The exchange's clock against ours, from its quickest answer; undefined where it does not say its time. */
  clock: Measured | undefined
}

export interface ExchangeProbeOptions {
  exchange: ExchangeConfig
  credentials: Credentials | undefined
  log: Logger
  signal: AbortSignal
  /** How long a first frame may take after all was subscribed, ms. */
  frameWithinMs?: number
}

const FRAME_WITHIN_MS = 15_000

/**
 * Does with the exchange what the recorder will do, in small: asks what there is, connects, logs in where it has
 * credentials, subscribes one channel and waits for a frame. Writes nothing.
 * @throws EdgeError HTTP_CALL_FAILED, RPC_REFUSED, CREDENTIALS_MISSING; EXCHANGE_PLANS_NOTHING nothing fits the config;
 *         EXCHANGE_UNREACHABLE no connection, or it ended; EXCHANGE_SILENT no frame; EXCHANGE_REFUSES the subscription
 */
export async function probeExchange(options: ExchangeProbeOptions): Promise<ExchangeProbe> {
  const { exchange: config, credentials, log, signal } = options
  const facts = exchangeOf(config)
  const exchange = await facts.openAdapter(config, credentials, log)
  const { plan } = await exchange.discover(() => undefined, signal)
  if (plan.size === 0) {
    throw new EdgeError('EXCHANGE_PLANS_NOTHING', 'the exchange lists nothing that this config asks for', {
      hint: facts.settings.hints.plansNothing,
    })
  }
  const channel = exchange.comesWhole ? undefined : busiestOf(plan, exchange, facts)
  const wanted = channel === undefined ? new Set(plan.keys()) : new Set([channel])
  const url = (channel === undefined ? undefined : exchange.endpointOf?.(channel)) ?? exchange.url
  const found = await firstFrame({
    exchange: { ...exchange, url },
    wanted,
    isData: family => (exchange.comesWhole ? family !== 'sent' : familyOf(facts, family).comes === 'streamed'),
    frameWithinMs: options.frameWithinMs ?? FRAME_WITHIN_MS,
    refusedHint: facts.settings.hints.refused,
    signal,
  })
  return { families: familiesOf(plan, exchange), channel, ...found }
}

/** A channel that speaks up at once, the busiest of them; trades come when somebody trades. */
function busiestOf(plan: ChannelPlan, exchange: Adapter, facts: Exchange): string | undefined {
  const speaksUp = (channel: string) => familyOf(facts, exchange.familyOfChannel(channel)).coverage?.first === true
  const byRate = [...plan].sort(([a, rateA], [b, rateB]) => rateB - rateA || (a < b ? -1 : 1))
  return (byRate.find(([channel]) => speaksUp(channel)) ?? byRate[0])?.[0]
}

function familiesOf(plan: ChannelPlan, exchange: Adapter): ExchangeProbe['families'] {
  const families = new Map<string, { channels: number; framesPerSecond: number }>()
  for (const [channel, rate] of plan) {
    const family = exchange.familyOfChannel(channel)
    const sum = families.get(family) ?? { channels: 0, framesPerSecond: 0 }
    families.set(family, { channels: sum.channels + 1, framesPerSecond: sum.framesPerSecond + rate })
  }
  return families
}

interface Look {
  exchange: Adapter
  wanted: ReadonlySet<string>
  /** Whether a frame of this family is one that was asked for. */
  isData: (family: string) => boolean
  frameWithinMs: number
  /** What a person may do where it is refused. */
  refusedHint: string
  signal: AbortSignal
}

async function firstFrame(look: Look): Promise<Pick<ExchangeProbe, 'firstFrameMs' | 'clock'>> {
  const { exchange, wanted, isData, frameWithinMs, refusedHint, signal } = look
  signal.throwIfAborted()
  const startedMs = performance.now()
  const events = new EventEmitter()
  let firstFrameMs: number | undefined
  const refusals: string[] = []
  let clock: Measured | undefined
  const take = (family: string) => {
    if (firstFrameMs !== undefined || !isData(family)) return
    firstFrameMs = performance.now() - startedMs
    events.emit('frame')
  }
  const measured = (offsetUs: number, roundTripUs: number) => {
    if (clock === undefined || roundTripUs < clock.roundTripUs) clock = { offsetUs, roundTripUs }
  }
  const link = new Link(
    {
      received: new FrameCounter('d1'),
      sent: new FrameCounter('d1.sent'),
      flows: new Flows(() => new Rhythm()),
    },
    {
      exchange,
      clock: new ReceiveClock(),
      router: { take, journal: (event, facts) => isRefusal(event, facts) && refusals.push(wordsOf(event, facts)) },
      complaints: { report: ({ message }) => refusals.push(message) },
    },
    () => wanted,
    { maintenance: () => undefined, measured },
    { opened: () => undefined, live: () => events.emit('live') },
  )
  const over = new AbortController()
  void link.ended.then(end => over.abort(unreachable(exchange.url, end)))
  const waiting = AbortSignal.any([signal, over.signal])
  let patience: NodeJS.Timeout | undefined
  try {
    await once(events, 'live', { signal: waiting })
    if (link.session.channels.size === 0 || refusals.length > 0) throw refused(wanted, refusals, refusedHint)
    patience = setTimeout(() => over.abort(silent(wanted, frameWithinMs)), frameWithinMs)
    if (firstFrameMs === undefined) await once(events, 'frame', { signal: waiting })
    return { firstFrameMs: firstFrameMs ?? 0, clock }
  } catch (error) {
    waiting.throwIfAborted()
    throw error
  } finally {
    clearTimeout(patience)
    link.close('seen')
    await link.ended
  }
}

function unreachable(url: string, { cause, hint }: LinkEnd): EdgeError {
  return new EdgeError('EXCHANGE_UNREACHABLE', `${shownUrl(url)}: ${cause}`, {
    retry: true,
    ...(hint === undefined ? {} : { hint }),
  })
}

function refused(wanted: ReadonlySet<string>, refusals: readonly string[], hint: string): EdgeError {
  const what = refusals.length > 0 ? refusals.join('; ') : `${[...wanted].join(', ')} was not accepted`
  return new EdgeError('EXCHANGE_REFUSES', `the exchange refuses: ${what}`, { hint })
}

/** Journal entries by which a session says that something is refused to us, and nothing comes in its place. */
function isRefusal(event: string, facts: object = {}): boolean {
  return (event === 'login_refused' || event === 'rejected') && !('instead' in facts)
}

function wordsOf(event: string, facts: object = {}): string {
  return 'message' in facts && typeof facts.message === 'string' ? facts.message : event
}

function silent(wanted: ReadonlySet<string>, withinMs: number): EdgeError {
  return new EdgeError('EXCHANGE_SILENT', `no frame of ${[...wanted].join(', ')} within ${withinMs / 1000} s`, {
    retry: true,
    hint: 'it answers, but sends no data: is it in maintenance, or is nothing traded there?',
  })
}

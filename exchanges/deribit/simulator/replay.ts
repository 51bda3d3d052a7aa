import { version } from '../../../platform/package-info.js'
import { Faults } from '../../../simulator/faults.js'
import type { Json } from '../../../simulator/json.js'
import type { Service } from '../../../simulator/protocol.js'
import type { KnownBook, PlayedRecording, ReplayProtocol } from '../../../simulator/replay.js'
import { isAbout, subjectOf } from '../names.js'
import { Logins } from './auth.js'
import { Desk, type Answer, type Caller } from './dispatch.js'
import { ordinary, type Method, type Venue } from './methods/method.js'
import { sessionMethods } from './methods/session.js'
import { RpcError } from './rpc-error.js'
import { notificationText, parseRequest, RequestError, type RpcRequest } from './rpc.js'
import { RpcService, type Answering } from './service.js'

const FULL_BOOK = /^book\.[^.]+\.[^.]+$/

/** Recordings served as Deribit itself. */
export const replay: ReplayProtocol = {
  serve,
  isBook: channel => FULL_BOOK.test(channel),
  snapshot,
  carriesTradesOf,
  trades: (channel, rows) => notificationText(channel, `[${rows.join(',')}]`),
}

function serve(recording: PlayedRecording): Service {
  const { channels, clock } = recording
  const venue: ReplayVenue = {
    channels,
    clock,
    logins: new Logins([], true),
    credits: undefined,
    faults: new Faults(() => undefined, notificationText),
    rawForAll: true,
    accepts: channel => recording.has(channel),
    subscribed: () => undefined,
    version,
    recording,
  }
  return new RpcService({ channels, clock, desk: new ReplayDesk(new Desk(venue, METHODS), recording), timeScale: 1 })
}

interface ReplayVenue extends Venue {
  recording: PlayedRecording
}

/** Rows of the recorded lists of instruments. */
function instruments({ recording }: ReplayVenue, currency: string, kind: string): Json[] {
  const rows = recording.answersOf('instruments').flatMap(text => (JSON.parse(text) as { result: Json[] }).result)
  const byName = new Map(rows.map(row => [(row as Record<string, Json>)['instrument_name'], row]))
  return [...byName.values()].filter(row => {
    const { kind: its, settlement_currency: settles, base_currency: base } = row as Record<string, Json>
    return (kind === 'any' || its === kind) && (currency === 'any' || currency === settles || currency === base)
  })
}

/** What a recording can answer besides the questions that were recorded. */
const METHODS: ReadonlyMap<string, Method<ReplayVenue>> = new Map(
  Object.entries<Method<ReplayVenue>>({
    ...sessionMethods,
    'public/get_instruments': ordinary(({ exchange, params }) =>
      instruments(exchange, params.optionalText('currency') ?? 'any', params.optionalText('kind') ?? 'any'),
    ),
    // All trades that are known are played in their place.
    'public/get_last_trades_by_instrument': ordinary(() => ({ trades: [], has_more: false })),
  }),
)

/** Gives the recorded answer to a question that has one, and answers the others itself. */
class ReplayDesk implements Answering {
  constructor(
    private readonly desk: Desk<ReplayVenue>,
    private readonly recording: PlayedRecording,
  ) {}

  answerText(caller: Caller, text: string, bytes: number): Answer {
    return this.recorded(text) ?? this.desk.answerText(caller, text, bytes)
  }

  answerRequest(caller: Caller, request: RpcRequest): Answer {
    return this.desk.answerRequest(caller, request)
  }

  private recorded(request: string): Answer | undefined {
    try {
      const { id } = parseRequest(request)
      const text = typeof id === 'string' ? this.recording.answer(id) : undefined
      return text === undefined ? undefined : { text, failed: false, afterwards: [], endSession: false }
    } catch (error) {
      // The other desk says what is wrong with it.
      if (error instanceof RpcError || error instanceof RequestError) return undefined
      throw error
    }
  }
}

function snapshot(channel: string, { bids, asks, changeId, exchangeMs }: KnownBook): string {
  const levels = (side: readonly [number, number][]) => side.map(([price, amount]) => ['new', price, amount])
  const data = {
    timestamp: exchangeMs,
    type: 'snapshot',
    change_id: changeId,
    instrument_name: channel.split('.')[1],
    bids: levels(bids),
    asks: levels(asks),
  }
  return notificationText(channel, JSON.stringify(data))
}

function carriesTradesOf(channel: string, instrument: string): boolean {
  const subject = subjectOf(channel)
  return subject?.family === 'trades' && isAbout(subject, instrument)
}

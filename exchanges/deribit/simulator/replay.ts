import { version } from '../../../platform/package-info.js'
import { Faults } from '../../../simulator/faults.js'
import type { Json } from '../../../simulator/json.js'
import type { Service } from '../../../simulator/protocol.js'
import type { KnownBook, PlayedRecording, ReplayProtocol } from '../../../simulator/replay.js'
import { messageOf } from '../../../platform/edge-error.js'
import { familyOfChannel, isAbout, subjectOf } from '../names.js'
import { Logins } from './auth.js'
import { sourcesAmong } from './channel-sources.js'
import { Desk, type Answer, type Caller } from './dispatch.js'
import { currencyFields } from './methods/instruments.js'
import { ordinary, type Method, type Venue } from './methods/method.js'
import { recordedMethods, type RecordedMethod } from './methods/recorded.js'
import { sessionMethods } from './methods/session.js'
import { Params } from './params.js'
import { reframed, tradesOf } from './recorded-frames.js'
import { invalidParam, RpcError, rpcError } from './rpc-error.js'
import { errorText, MAX_REQUEST_BYTES, notificationText, parseRequest, RequestError, resultText } from './rpc.js'
import type { RpcRequest } from './rpc.js'
import { RpcService, type Answering } from './service.js'

const FULL_BOOK = /^book\.[^.]+\.[^.]+$/

/** Recordings served as Deribit itself. */
export const replay: ReplayProtocol = {
  serve,
  sourcesAmong,
  reframed,
  beginsWithLast,
  isBook: channel => FULL_BOOK.test(channel),
  snapshot,
  trades: {
    families: ['trades'],
    tradesOf: frame =>
      tradesOf(frame).map(({ instrument, tradeSeq, timestampMs, text }) => ({
        instrument,
        id: tradeSeq,
        executedUs: timestampMs * 1000,
        row: text,
      })),
    carries: carriesTradesOf,
    frame: (channel, rows) => notificationText(channel, `[${rows.join(',')}]`),
  },
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

function instrument(venue: ReplayVenue, name: string): Json {
  const found = instruments(venue, 'any', 'any').find(row => (row as Record<string, Json>)['instrument_name'] === name)
  if (found === undefined) throw invalidParam('instrument not found', 'instrument_name')
  return found
}

function currencies(venue: ReplayVenue): Json[] {
  const names = instruments(venue, 'any', 'any').flatMap(row => {
    const { settlement_currency: settles, base_currency: base } = row as Record<string, Json>
    return [settles, base].filter(name => typeof name === 'string')
  })
  return [...new Set(names)].sort().map(currencyFields)
}

/** What a recording can answer at once besides the questions that were recorded. */
const METHODS: ReadonlyMap<string, Method<ReplayVenue>> = new Map(
  Object.entries<Method<ReplayVenue>>({
    ...sessionMethods,
    'public/get_instruments': ordinary(({ exchange, params }) =>
      instruments(exchange, params.optionalText('currency') ?? 'any', params.optionalText('kind') ?? 'any'),
    ),
    'public/get_instrument': ordinary(({ exchange, params }) => instrument(exchange, params.text('instrument_name'))),
    'public/get_currencies': ordinary(({ exchange }) => currencies(exchange)),
  }),
)

/** Gives the recorded answer to a question that has one, looks others up in the frames, and answers the rest itself. */
class ReplayDesk implements Answering {
  constructor(
    private readonly desk: Desk<ReplayVenue>,
    private readonly recording: PlayedRecording,
  ) {}

  answerText(caller: Caller, text: string, bytes: number): Answer | Promise<Answer> {
    const request = bytes > MAX_REQUEST_BYTES ? undefined : readable(text)
    // The other desk says what is wrong with it.
    if (!request) return this.desk.answerText(caller, text, bytes)
    const recorded = typeof request.id === 'string' ? this.recording.answer(request.id) : undefined
    return recorded === undefined ? this.answerRequest(caller, request) : answered(recorded)
  }

  answerRequest(caller: Caller, request: RpcRequest): Answer | Promise<Answer> {
    const method = recordedMethods.get(request.method.replace(/^\//, ''))
    return method ? this.lookedUp(method, request) : this.desk.answerRequest(caller, request)
  }

  private async lookedUp(method: RecordedMethod, { id, params }: RpcRequest): Promise<Answer> {
    const { clock } = this.recording
    const usIn = clock.nowUs()
    try {
      const result = await method(new Params(params), this.recording)
      return answered(resultText(id, result, { usIn, usOut: clock.nowUs() }))
    } catch (error) {
      const refusal = error instanceof RpcError ? error : rpcError(13028, messageOf(error))
      return { ...answered(errorText(id, refusal, { usIn, usOut: clock.nowUs() })), failed: true }
    }
  }
}

const answered = (text: string): Answer => ({ text, failed: false, afterwards: [], endSession: false })

function readable(text: string): RpcRequest | undefined {
  try {
    return parseRequest(text)
  } catch (error) {
    if (error instanceof RpcError || error instanceof RequestError) return undefined
    throw error
  }
}

/** By the channel table of the exchange's documentation: those that begin with the whole state, or with the last bar. */
const WITH_LAST: readonly string[] = [
  'book_grouped',
  'ticker',
  'quote',
  'perpetual',
  'deribit_price_index',
  'deribit_price_ranking',
  'deribit_price_statistics',
  'deribit_volatility_index',
  'estimated_expiration_price',
  'chart.trades',
]

function beginsWithLast(channel: string): boolean {
  return WITH_LAST.includes(familyOfChannel(channel))
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

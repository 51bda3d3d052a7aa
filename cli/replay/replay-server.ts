import { EdgeError } from '../../platform/edge-error.js'
import { version } from '../../platform/package-info.js'
import { readFrames } from '../../reading/read-frames.js'
import { Logins } from '../../exchanges/deribit/simulator/auth.js'
import { Desk, type Answer, type Caller } from '../../exchanges/deribit/simulator/dispatch.js'
import { Faults } from '../../simulator/faults.js'
import type { Json } from '../../exchanges/deribit/simulator/json-text.js'
import { ordinary, type Method, type Venue } from '../../exchanges/deribit/simulator/methods/method.js'
import { sessionMethods } from '../../exchanges/deribit/simulator/methods/session.js'
import { parseRequest, RequestError, type RpcRequest } from '../../exchanges/deribit/simulator/rpc.js'
import { RpcError } from '../../exchanges/deribit/simulator/rpc-error.js'
import { ExchangeServer, WEBSOCKET_PATH, type Answering } from '../../simulator/server.js'
import { Playback, type PlaybackOptions } from './playback.js'
import { RecordedAnswers } from './recorded-answers.js'
import { RecordedChannels } from './recorded-channels.js'

export interface ReplayOptions extends Omit<PlaybackOptions, 'fromUs' | 'toUs'> {
  host: string
  /** 0 takes any free port. */
  port: number
  fromUs?: number | undefined
  toUs?: number | undefined
}

export interface Replay {
  /** Of the WebSocket. */
  url: string
  /** Of the HTTP methods. */
  httpUrl: string
  /** Resolves when the last frame was sent; rejects with what ended it before. */
  finished: Promise<void>
  framesSent(): number
  /** Receive time of the frame that was sent last, µs. */
  positionUs(): number
  close(): Promise<void>
}

/**
 * Serves a recording as the exchange, from its first frame on or from a moment on; resolves when it takes connections.
 * @throws EdgeError READ_NO_RAW, REPLAY_EMPTY; SIMULATOR_LISTEN the port cannot be had
 */
export async function startReplay(options: ReplayOptions): Promise<Replay> {
  const { path, toUs = Infinity, onProblem } = options
  const fromUs = await firstMoment(options)
  const answers = new RecordedAnswers()
  await answers.readAround({ path, onProblem }, fromUs)
  const recorded = await RecordedChannels.read(path, fromUs, toUs)
  const unsentBytes = () => {
    let most = 0
    for (const { bufferedBytes } of server.sessions) most = Math.max(most, bufferedBytes)
    return most
  }
  const playback = new Playback({ ...options, fromUs, toUs }, { answers, recorded, unsentBytes })
  const venue: ReplayVenue = {
    channels: playback,
    clock: { nowUs: () => playback.positionUs, nowMs: () => Math.floor(playback.positionUs / 1000) },
    logins: new Logins([], true),
    credits: undefined,
    faults: new Faults(() => undefined),
    rawForAll: true,
    accepts: channel => recorded.has(channel),
    subscribed: () => undefined,
    version,
    answers,
  }
  const settings = { timeScale: 1, maxBufferedBytes: Infinity, maxConnectionsPerIp: 0, deflate: false }
  const desk = new ReplayDesk(new Desk(venue, METHODS), answers)
  const server: ExchangeServer = new ExchangeServer(venue, desk, { ...settings, ...options })
  const address = `${options.host}:${await server.listen()}`
  const finished = playback.run()
  return {
    url: `ws://${address}${WEBSOCKET_PATH}`,
    httpUrl: `http://${address}/api/v2`,
    finished,
    framesSent: () => playback.framesSent,
    positionUs: () => playback.positionUs,
    close: async () => {
      playback.stop()
      await server.close()
      // Whoever waits for the end hears of a failure there.
      await finished.catch(() => undefined)
    },
  }
}

async function firstMoment({ path, fromUs, toUs, onProblem }: ReplayOptions): Promise<number> {
  for await (const { recvUs } of readFrames({ path, from: fromUs, to: toUs, onProblem })) return fromUs ?? recvUs
  throw new EdgeError('REPLAY_EMPTY', `${path} holds no frame ${fromUs === undefined ? '' : 'of that time'}`.trim(), {
    path,
  })
}

interface ReplayVenue extends Venue {
  answers: RecordedAnswers
}

/** Rows of the recorded lists of instruments. */
function instruments({ answers }: ReplayVenue, currency: string, kind: string): Json[] {
  const rows = answers.of('instruments').flatMap(({ text }) => (JSON.parse(text) as { result: Json[] }).result)
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
  readonly #desk: Desk<ReplayVenue>
  readonly #answers: RecordedAnswers

  constructor(desk: Desk<ReplayVenue>, answers: RecordedAnswers) {
    this.#desk = desk
    this.#answers = answers
  }

  answerText(caller: Caller, text: string, bytes: number): Answer {
    return this.#recorded(text) ?? this.#desk.answerText(caller, text, bytes)
  }

  answerRequest(caller: Caller, request: RpcRequest): Answer {
    return this.#desk.answerRequest(caller, request)
  }

  #recorded(request: string): Answer | undefined {
    try {
      const { id } = parseRequest(request)
      const answer = typeof id === 'string' ? this.#answers.get(id) : undefined
      return answer && { text: answer.text, failed: false, afterwards: [], endSession: false }
    } catch (error) {
      // The other desk says what is wrong with it.
      if (error instanceof RpcError || error instanceof RequestError) return undefined
      throw error
    }
  }
}

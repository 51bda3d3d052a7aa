import { exchangeNamed, simulationOf } from '../../exchanges/registry.js'
import { EdgeError } from '../../platform/edge-error.js'
import { readFrames } from '../read-frames.js'
import { recordedExchange } from '../recorded-exchange.js'
import { Faults } from '../../simulator/faults.js'
import type { ReplayProtocol } from '../../simulator/replay.js'
import { ExchangeServer } from '../../simulator/server.js'
import { Playback, type PlaybackOptions } from './playback.js'
import { RecordedAnswers } from './recorded-answers.js'
import { RecordedChannels } from './recorded-channels.js'
import { RecordedGaps, type RecordedGap } from './recorded-gaps.js'
import { RecordedPast } from './recorded-past.js'

export interface ReplayOptions extends Omit<PlaybackOptions, 'fromUs' | 'toUs'> {
  host: string
  /** Whose recording; default: the only one there. */
  exchange?: string | undefined
  /** 0 takes any free port. */
  port: number
  fromUs?: number | undefined
  toUs?: number | undefined
  /** Cut all connections where the recording has an outage, as the exchange's were: readers learn that they missed something. */
  cutAtGaps?: boolean | undefined
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
 * @throws EdgeError EXCHANGE_NOT_NAMED, EXCHANGE_NOT_RECORDED, EXCHANGE_NOT_SIMULATED; READ_NO_RAW, REPLAY_EMPTY; SIMULATOR_LISTEN the port cannot be had
 */
export async function startReplay(asked: ReplayOptions): Promise<Replay> {
  const options = { ...asked, ...recordedExchange(asked.path, asked.exchange) }
  const { path, toUs = Infinity, onProblem } = options
  const exchange = exchangeNamed(options.exchange)
  const { replay: protocol } = await simulationOf(options.exchange)
  const fromUs = await firstMoment(options)
  const answers = new RecordedAnswers(exchange, protocol.questionOf)
  await answers.readAround({ path, onProblem }, fromUs)
  const recorded = await RecordedChannels.read(path, fromUs, toUs)
  const sourcesOf = sourcesAmong(protocol, recorded)
  const gaps = RecordedGaps.read(path, options.exchange, fromUs, toUs)
  const past = new RecordedPast({ path, onProblem }, { gaps, sourcesOf, ...protocol })
  const unsentBytes = () => {
    let most = 0
    for (const { bufferedBytes } of server.connections) most = Math.max(most, bufferedBytes)
    return most
  }
  const onGap = (gap: RecordedGap) => {
    options.onGap?.(gap)
    if (options.cutAtGaps) for (const connection of server.connections) connection.cut()
  }
  const playback = new Playback(
    { ...options, fromUs, toUs, onGap },
    { protocol, answers, recorded, sourcesOf, past, gaps, unsentBytes },
  )
  const service = protocol.serve({
    channels: playback,
    clock: { nowUs: () => playback.positionUs, nowMs: () => Math.floor(playback.positionUs / 1000) },
    answer: id => answers.get(id)?.text,
    answersOf: word => answers.of(word).map(({ text }) => text),
    has: channel => sourcesOf(channel).length > 0,
    last: channel => past.last(channel, playback.positionUs),
    book: channel => past.book(channel, playback.positionUs),
    past: (family, fromMs, toMs) => past.frames(family, fromMs * 1000, Math.min(toMs * 1000, playback.positionUs + 1)),
  })
  // Nothing goes wrong on demand here.
  const faults = new Faults(
    () => undefined,
    (_channel, data) => data,
  )
  const settings = { maxBufferedBytes: Infinity, maxConnectionsPerIp: 0, deflate: false }
  const server: ExchangeServer = new ExchangeServer(service, faults, { ...settings, ...options })
  const address = `${options.host}:${await server.listen()}`
  const finished = playback.run()
  return {
    url: `ws://${address}${service.webSocketPaths[0] ?? ''}`,
    httpUrl: `http://${address}${service.httpPath}`,
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

/** The recorded channels that bring what is asked for; without a journal only the name shows it. */
function sourcesAmong(
  { sourcesAmong }: Pick<ReplayProtocol, 'sourcesAmong'>,
  recorded: RecordedChannels,
): (asked: string) => readonly string[] {
  const others = sourcesAmong?.(recorded.names)
  return asked => (recorded.has(asked) ? [asked] : (others?.(asked) ?? []))
}

async function firstMoment({ path, fromUs, toUs, onProblem }: ReplayOptions): Promise<number> {
  for await (const { recvUs } of readFrames({ path, from: fromUs, to: toUs, onProblem })) return fromUs ?? recvUs
  throw new EdgeError('REPLAY_EMPTY', `${path} holds no frame ${fromUs === undefined ? '' : 'of that time'}`.trim(), {
    path,
  })
}

import { parseLine } from '../formats/raw-line.js'
import type { Recording } from './adapter.js'
import { channelEnd, channelStart, dataStart } from './deribit/frame-channel.js'
import { SeqRanges } from '../platform/seq-ranges.js'
import { eachTradeAt } from './deribit/sequence-bytes.js'
import { tradeRowsOf } from './deribit/sequence-json.js'

/** Enough for a day of all trades; reading it takes a second or two. */
const COMPRESSED_BYTES_MAX = 32 * 1024 * 1024
/** What is older than this before the newest trade is not read. */
const SPAN_US = 24 * 3600 * 1_000_000

/** What earlier runs recorded. */
export interface EarlierTrades {
  instruments: Map<string, { recorded: SeqRanges; lastUs: number }>
  /** Time at the exchange of the newest trade, ms; 0 where there is none. */
  newestMs: number
}

/**
 * Reads which trades earlier runs recorded from the newest segments on disk, backwards over one day or so many bytes,
 * whatever comes first: the cost does not depend on how much was ever recorded. Other work runs between its pieces.
 */
export async function readEarlierTrades(recording: Recording, signal: AbortSignal): Promise<EarlierTrades> {
  const found: EarlierTrades = { instruments: new Map(), newestMs: 0 }
  const renumberedUs = await readRenumbered(recording, signal)
  let bytes = 0
  let newestUs = 0
  for await (const segment of recording.earlier('trades', signal)) {
    bytes += segment.bytes
    let segmentUs = 0
    let last: Buffer | undefined
    for await (const lines of segment.lines) {
      if (signal.aborted) return found
      for (const line of lines) segmentUs = Math.max(segmentUs, addLine(found, renumberedUs, line))
      last = lines.at(-1) ?? last
    }
    if (last) found.newestMs = Math.max(found.newestMs, newestOf(last))
    newestUs = Math.max(newestUs, segmentUs)
    if (bytes > COMPRESSED_BYTES_MAX || (segmentUs > 0 && segmentUs < newestUs - SPAN_US)) break
  }
  return found
}

/** When the last trade came before the numbers of an instrument began anew: what came until then is counted otherwise. */
async function readRenumbered(recording: Recording, signal: AbortSignal): Promise<Map<string, number>> {
  const lastUs = new Map<string, number>()
  let bytes = 0
  for await (const segment of recording.earlier('journal', signal)) {
    bytes += segment.bytes
    if (bytes > COMPRESSED_BYTES_MAX) break
    for await (const lines of segment.lines) for (const line of lines) noteRenumbered(lastUs, line)
  }
  return lastUs
}

const RENUMBERED = 'trades_renumbered'

function noteRenumbered(lastUs: Map<string, number>, line: Buffer): void {
  if (!line.includes(RENUMBERED)) return
  const raw = parseOr(() => parseLine(line))
  const entry = raw && parseOr(() => JSON.parse(raw.frame.toString('utf8')) as Record<string, unknown> | null)
  const { event, instrument, from_us: fromUs } = entry ?? {}
  if (event !== RENUMBERED || typeof instrument !== 'string' || typeof fromUs !== 'number') return
  lastUs.set(instrument, Math.max(fromUs, lastUs.get(instrument) ?? -Infinity))
}

/** Returns the line's receive stamp, 0 where it is none of ours. */
function addLine(found: EarlierTrades, renumberedUs: ReadonlyMap<string, number>, line: Buffer): number {
  const raw = parseOr(() => parseLine(line))
  if (!raw || raw.encoding !== 'frame') return 0
  const { frame, recvUs } = raw
  const isOurs = (instrument: string) => recvUs > (renumberedUs.get(instrument) ?? -Infinity)
  const addOwn = (instrument: string, seq: number) => {
    if (isOurs(instrument)) add(found, instrument, seq, recvUs)
  }
  const start = channelStart(frame)
  const end = start < 0 ? -1 : channelEnd(frame, start)
  const isRead =
    end >= 0 &&
    eachTradeAt(frame, dataStart(frame, end), (from, to, seq) => addOwn(frame.toString('latin1', from, to), seq))
  if (!isRead) for (const { instrument, seq } of rowsOf(frame)) addOwn(instrument, seq)
  return recvUs
}

function add({ instruments }: EarlierTrades, instrument: string, seq: number, recvUs: number): void {
  const known = instruments.get(instrument)
  if (known) {
    known.recorded.add(seq)
    known.lastUs = Math.max(known.lastUs, recvUs)
    return
  }
  const recorded = new SeqRanges()
  recorded.add(seq)
  instruments.set(instrument, { recorded, lastUs: recvUs })
}

/** The trades of a frame that a parser reads: a notification in an odd spelling, or an answer that filled a hole. */
function rowsOf(frame: Buffer) {
  const message = parseOr(
    () => JSON.parse(frame.toString('utf8')) as { params?: { data?: unknown }; result?: { trades?: unknown } } | null,
  )
  return tradeRowsOf(message?.params?.data ?? message?.result?.trades)
}

function newestOf(line: Buffer): number {
  const raw = parseOr(() => parseLine(line))
  return raw ? rowsOf(raw.frame).reduce((newest, { timestampMs }) => Math.max(newest, timestampMs), 0) : 0
}

/** A damaged line is no reason to stop: its trades are asked for again at worst. */
function parseOr<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

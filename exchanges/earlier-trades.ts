import { parsedJson, type JsonObject } from '../platform/json-object.js'
import { parseLine } from '../formats/raw-line.js'
import { messageOf } from '../platform/edge-error.js'
import type { Logger } from '../platform/log.js'
import type { Recording } from './adapter.js'
import type { TradeSequences } from './trade-sequences.js'
import { SeqRanges } from '../platform/seq-ranges.js'

/** Enough for a day of all trades; reading it takes a second or two. */
const COMPRESSED_BYTES_MAX = 32 * 1024 * 1024
/** What is older than this before the newest trade, or the newest segment of trades, is not read. */
const SPAN_US = 24 * 3600 * 1_000_000

/** What earlier runs recorded. */
export interface EarlierTrades {
  instruments: Map<string, { recorded: SeqRanges; lastUs: number }>
  /** Time at the exchange of the newest trade, ms; 0 where there is none. */
  newestMs: number
}

/** Reads the trades of a frame as it was recorded: pushed, or of an answer that filled a hole. */
export interface TradeReader {
  /** Calls `visit` for each, with the numbers that it stands for. */
  each(frame: Buffer, visit: (instrument: string, first: number, last: number) => void): void
  /** Time at the exchange of the newest one, ms; 0 where there is none. */
  newestMs(frame: Buffer): number
}

/** Takes up what earlier runs recorded; returns the time of their newest trade at the exchange, ms; 0 for none. */
export async function rememberTrades(
  sequences: TradeSequences,
  {
    recording,
    reader,
    log,
    family = 'trades',
    remembered = () => undefined,
  }: {
    recording: Recording
    reader: TradeReader
    log: Logger
    /** Where they are; default: trades. */
    family?: string
    /** Hears when the last trade of each instrument was received. */
    remembered?: (instrument: string, lastUs: number) => void
  },
  signal: AbortSignal,
): Promise<number> {
  const startedMs = performance.now()
  try {
    const { instruments, newestMs } = await readEarlierTrades(recording, family, reader, signal)
    if (signal.aborted) return 0
    for (const [name, { recorded, lastUs }] of instruments) {
      sequences.remember(name, recorded, lastUs, recording.nowUs())
      remembered(name, lastUs)
    }
    const tookMs = Math.round(performance.now() - startedMs)
    log.info({ instruments: instruments.size, tookMs }, 'read which trades were recorded before')
    return newestMs
  } catch (error) {
    recording.journal('error', { message: `earlier trades cannot be read: ${messageOf(error)}` })
    log.error({ err: messageOf(error) }, 'cannot read which trades were recorded before; the pause is not filled')
    return 0
  }
}

/**
 * Reads which trades earlier runs recorded from the newest segments on disk, backwards over one day or so many bytes,
 * whatever comes first: the cost does not depend on how much was ever recorded. Other work runs between its pieces.
 */
async function readEarlierTrades(
  recording: Recording,
  family: string,
  reader: TradeReader,
  signal: AbortSignal,
): Promise<EarlierTrades> {
  const found: EarlierTrades = { instruments: new Map(), newestMs: 0 }
  let renumberedUs: ReadonlyMap<string, number> | undefined
  let bytes = 0
  let newestUs = 0
  let oldestUs = 0
  for await (const segment of recording.earlier(family, signal)) {
    bytes += segment.bytes
    if (oldestUs === 0) oldestUs = segment.startedUs - SPAN_US
    // The last segment of trades that is read may have been begun a day before the last journal.
    renumberedUs ??= await readRenumbered(recording, signal, oldestUs - SPAN_US)
    let segmentUs = 0
    let last: Buffer | undefined
    for await (const lines of segment.lines) {
      if (signal.aborted) return found
      const renumbered = renumberedUs
      for (const line of lines) segmentUs = Math.max(segmentUs, addLine(found, reader, renumbered, line))
      last = lines.at(-1) ?? last
    }
    if (last) found.newestMs = Math.max(found.newestMs, newestOf(reader, last))
    newestUs = Math.max(newestUs, segmentUs)
    const isOld = segment.startedUs < oldestUs || (segmentUs > 0 && segmentUs < newestUs - SPAN_US)
    if (bytes > COMPRESSED_BYTES_MAX || isOld) break
  }
  return found
}

/** When the last trade came before the numbers of an instrument began anew: what came until then is counted otherwise. */
async function readRenumbered(
  recording: Recording,
  signal: AbortSignal,
  sinceUs: number,
): Promise<Map<string, number>> {
  const lastUs = new Map<string, number>()
  let bytes = 0
  for await (const segment of recording.earlier('journal', signal)) {
    bytes += segment.bytes
    if (bytes > COMPRESSED_BYTES_MAX) break
    for await (const lines of segment.lines) for (const line of lines) noteRenumbered(lastUs, line)
    if (segment.startedUs < sinceUs) break
  }
  return lastUs
}

const RENUMBERED = 'trades_renumbered'

function noteRenumbered(lastUs: Map<string, number>, line: Buffer): void {
  if (!line.includes(RENUMBERED)) return
  const raw = parseLine(line)
  const entry = raw && (parsedJson(raw.frame) as JsonObject | null | undefined)
  const { event, instrument, from_us: fromUs } = entry ?? {}
  if (event !== RENUMBERED || typeof instrument !== 'string' || typeof fromUs !== 'number') return
  lastUs.set(instrument, Math.max(fromUs, lastUs.get(instrument) ?? -Infinity))
}

/** Returns the line's receive stamp, 0 where it is none of ours. */
function addLine(
  found: EarlierTrades,
  reader: TradeReader,
  renumberedUs: ReadonlyMap<string, number>,
  line: Buffer,
): number {
  const raw = parseLine(line)
  if (!raw || raw.encoding !== 'frame') return 0
  const { frame, recvUs } = raw
  reader.each(frame, (instrument, first, last) => {
    if (recvUs > (renumberedUs.get(instrument) ?? -Infinity)) add(found, instrument, first, last, recvUs)
  })
  return recvUs
}

function add({ instruments }: EarlierTrades, instrument: string, first: number, last: number, recvUs: number): void {
  const known = instruments.get(instrument)
  if (known) {
    known.recorded.add(first, last)
    known.lastUs = Math.max(known.lastUs, recvUs)
    return
  }
  const recorded = new SeqRanges()
  recorded.add(first, last)
  instruments.set(instrument, { recorded, lastUs: recvUs })
}

function newestOf(reader: TradeReader, line: Buffer): number {
  const raw = parseLine(line)
  return raw ? reader.newestMs(raw.frame) : 0
}

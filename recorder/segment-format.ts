/**
 * The format of raw data: names ⇄ fields, lines ⇄ frames. Pure; everything that reads segments imports this module and
 * `manifest.ts`, and nothing else of the recorder. Times are UTC, of the receive clock.
 */

/** Raised when a reader of the version before could misread what is written now. */
export const SEGMENT_FORMAT_VERSION = 1

/** What a name under `raw/` says. */
export interface SegmentName {
  exchange: string
  /** Family of channels, e.g. `trades`; never text from the wire. */
  channel: string
  /** Kind of the instruments in it, and their currency, where segments are grouped by them; never text from the wire. */
  kind?: string
  currency?: string
  /** When the segment was opened, ms since the epoch, whole seconds. */
  startedMs: number
  host: string
  /** One run of a recorder process. */
  run: string
  /** Counts the segments of a run, from 1. */
  number: number
}

/** open: being written. sealed: never changes again. manifest: describes a sealed one. rewriting: litter of a crash, without meaning. */
export type SegmentState = 'open' | 'sealed' | 'manifest' | 'rewriting'

const SUFFIX: Record<SegmentState, string> = {
  open: '.jsonl.zst.open',
  sealed: '.jsonl.zst',
  manifest: '.json',
  rewriting: '.jsonl.zst.rewriting',
}

/** `20261122T140000Z` */
function compactTime(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:]/g, '')
}

function parseCompactTime(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

/** What the lines of a segment have in common: its family, and how much more the config says. */
export type SegmentGroup = Pick<SegmentName, 'channel' | 'kind' | 'currency'>

/** The part of a path that names a group, e.g. `channel=trades/kind=option/currency=BTC`. */
export function groupPath({ channel, kind, currency }: SegmentGroup): string {
  if (kind === undefined) return `channel=${channel}`
  return currency === undefined
    ? `channel=${channel}/kind=${kind}`
    : `channel=${channel}/kind=${kind}/currency=${currency}`
}

/** Path below `dataDir`, with forward slashes: `raw/exchange=…/channel=…/date=…/hour=…/<time>-<host>-<run>-<n><suffix>`; grouped, with `kind=…/` or `kind=…/currency=…/` behind the channel. */
export function segmentPath(name: SegmentName, state: SegmentState): string {
  const time = new Date(name.startedMs).toISOString()
  const folder = `raw/exchange=${name.exchange}/${groupPath(name)}/date=${time.slice(0, 10)}/hour=${time.slice(11, 13)}`
  return `${folder}/${compactTime(name.startedMs)}-${name.host}-${name.run}-${name.number}${SUFFIX[state]}`
}

/** Every value in a path is spelled with these, whatever the wire said. */
export const SAFE_PATH_VALUE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

const PATH =
  /^raw\/exchange=([^/]+)\/channel=([^/]+)(?:\/kind=([^/]+)(?:\/currency=([^/]+))?)?\/date=(\d{4}-\d\d-\d\d)\/hour=(\d\d)\/(\d{8}T\d{6}Z)-([A-Za-z0-9][A-Za-z0-9.-]*)-([a-z0-9]+)-(\d+)(\.jsonl\.zst\.open|\.jsonl\.zst\.rewriting|\.jsonl\.zst|\.json)$/

/** The other way round; undefined for any path that is not one of ours, spelled exactly as we spell it. */
export function parseSegmentPath(path: string): { name: SegmentName; state: SegmentState } | undefined {
  const match = PATH.exec(path)
  if (!match) return undefined
  const [, exchange = '', channel = '', kind, currency, , , time = '', host = '', run = '', number = '', suffix = ''] =
    match
  const state = (Object.keys(SUFFIX) as SegmentState[]).find(key => SUFFIX[key] === suffix)
  const values = [exchange, channel, kind ?? 'none', currency ?? 'none']
  if (!state || !values.every(value => SAFE_PATH_VALUE.test(value))) return undefined
  const group = { channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) }
  const name = { exchange, ...group, startedMs: parseCompactTime(time), host, run, number: Number(number) }
  // A time that does not exist (month 13) or a folder that contradicts the name is not one of ours.
  if (Number.isNaN(name.startedMs) || segmentPath(name, state) !== path) return undefined
  return { name, state }
}

/** The same segment in another state, e.g. the manifest of a sealed one. */
export function withState(path: string, state: SegmentState): string {
  return path.replace(/(\.jsonl\.zst(\.open|\.rewriting)?|\.json)$/, SUFFIX[state])
}

/** How a frame stands in its line: JSON as it came, other text as a JSON string, anything else in base64. */
export type FrameEncoding = 'frame' | 'text' | 'base64'

export interface RawLine {
  /** Receive time, µs since the epoch; below 2^53 until the year 2255. */
  recvUs: number
  /** Connection of this run, e.g. `d1`; what we sent on it is `d1.sent`. */
  conn: string
  /** Counts the frames of `conn` within a run, from 1. */
  seq: number
  encoding: FrameEncoding
  /** For `frame`: the text exactly as received. For `text` and `base64`: decoded. */
  frame: Buffer
}

/** The line of a frame up to the frame itself; `}` and a line feed end it. */
export function lineHead(recvUs: number, conn: string, seq: number, encoding: FrameEncoding): string {
  return `{"recv_us":${recvUs},"conn":"${conn}","seq":${seq},"${encoding}":`
}

/** Ends the head of a frame that is JSON; those of others have another key in its place. */
export const FRAME_KEY = '"frame":'
/** What follows a frame. */
export const LINE_END = '}\n'
const HEAD_START = Buffer.from('{"recv_us":')
const HEAD_END = Buffer.from(`,${FRAME_KEY}`)
/** What stands between the two numbers of a head, by connection: a handful. */
const middles = new Map<string, Buffer>()

function middleOf(conn: string): Buffer {
  let middle = middles.get(conn)
  if (!middle) {
    middle = Buffer.from(`,"conn":"${conn}","seq":`)
    middles.set(conn, middle)
  }
  return middle
}

/** Writes the head of a frame that is JSON and returns the offset behind it: as `lineHead`, without a string per frame. */
export function writeLineHead(target: Buffer, offset: number, recvUs: number, conn: string, seq: number): number {
  const middle = middleOf(conn)
  let at = offset
  target.set(HEAD_START, at)
  at = writeDigits(target, at + HEAD_START.length, recvUs)
  target.set(middle, at)
  at = writeDigits(target, at + middle.length, seq)
  target.set(HEAD_END, at)
  return at + HEAD_END.length
}

/** A whole number from 0 to 2^53 in decimal. */
function writeDigits(target: Buffer, at: number, value: number): number {
  // In two halves below 2^31, which the engine divides as integers.
  const high = Math.floor(value / 1e8)
  if (high === 0) return writeSmall(target, at, value, 1)
  return writeSmall(target, writeSmall(target, at, high, 1), value - high * 1e8, 8)
}

function writeSmall(target: Buffer, at: number, value: number, minDigits: number): number {
  let digits = minDigits
  for (let bound = 10 ** minDigits; value >= bound; bound *= 10) digits++
  let rest = value | 0
  for (let place = at + digits - 1; place >= at; place--) {
    const next = (rest / 10) | 0
    target[place] = 0x30 + rest - next * 10
    rest = next
  }
  return at + digits
}

/** What stands between head and end for a frame that is not JSON. */
export function encodePayload(frame: Buffer, encoding: FrameEncoding): Buffer {
  switch (encoding) {
    case 'frame':
      return frame
    case 'text':
      return Buffer.from(JSON.stringify(frame.toString('utf8')))
    case 'base64':
      return Buffer.from(`"${frame.toString('base64')}"`)
  }
}

const HEAD = /^\{"recv_us":(\d{1,16}),"conn":"([A-Za-z0-9._-]{1,32})","seq":(\d{1,16}),"(frame|text|base64)":/

/** The facts before the frame, or undefined where the line does not start like one of ours. */
export function parseLineHead(line: string): (Omit<RawLine, 'frame'> & { headLength: number }) | undefined {
  const match = HEAD.exec(line)
  if (!match) return undefined
  const [head, recvUs, conn = '', seq, encoding] = match
  return {
    recvUs: Number(recvUs),
    conn,
    seq: Number(seq),
    encoding: encoding as FrameEncoding,
    headLength: head.length,
  }
}

/** A whole line (without its line feed) back to its frame, byte for byte; undefined where it is none of ours. */
export function parseLine(line: Buffer): RawLine | undefined {
  // 160 bytes hold the longest head; it is ASCII, so characters are bytes.
  const head = parseLineHead(line.subarray(0, 160).toString('latin1'))
  if (!head || line.at(-1) !== 0x7d) return undefined
  const { headLength, ...facts } = head
  const payload = line.subarray(headLength, line.length - 1)
  if (facts.encoding === 'frame') return { ...facts, frame: payload }
  const text: unknown = JSON.parse(payload.toString('utf8'))
  if (typeof text !== 'string') return undefined
  return { ...facts, frame: Buffer.from(text, facts.encoding === 'text' ? 'utf8' : 'base64') }
}

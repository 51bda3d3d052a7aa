/**
 * Names of raw data: paths under `raw/` ⇄ what they say. Pure. Times are UTC, of the receive clock.
 */

import { dateOf } from '../platform/utc-date.js'
import { RECORDER_NAME } from './recorder-name.js'

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
  /** It may go on to the end of its date; the others end with the hour in which they were begun. */
  ofDate?: true
  /** It lies in a folder of its hour, where versions up to 0.1.0 put it. */
  inHourFolder?: true
  /** The recorder's name: its host and, behind `_`, the identity of its dataDir. */
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

/** Behind the time of a segment that ends with its hour: in the folder of a date that is seen in the name alone. */
const OF_HOUR = '_1h'

/** With what names of segments begin, and of what is made from them: the source of a pattern, whose group is the hour. */
export const SEGMENT_TIME = String.raw`\d{8}T(\d\d)\d{4}Z(?:${OF_HOUR})?`

/**
 * Path below `dataDir`, with forward slashes: `raw/exchange=…/channel=…/date=…/<time>_1h-<host>-<run>-<n><suffix>`; grouped,
 * with `kind=…/` or `kind=…/currency=…/` behind the channel; of a date, without `_1h`; of versions up to 0.1.0, with
 * `hour=…/` behind the date in place of `_1h`.
 */
export function segmentPath(name: SegmentName, state: SegmentState): string {
  const time = new Date(name.startedMs).toISOString()
  const hour = name.inHourFolder ? `hour=${time.slice(11, 13)}/` : ''
  const folder = `raw/exchange=${name.exchange}/${groupPath(name)}/date=${time.slice(0, 10)}/${hour}`
  const length = name.ofDate || name.inHourFolder ? '' : OF_HOUR
  return `${folder}${compactTime(name.startedMs)}${length}-${name.host}-${name.run}-${name.number}${SUFFIX[state]}`
}

/** The date of a segment and of all that comes of it. */
export const segmentDate = ({ startedMs }: Pick<SegmentName, 'startedMs'>) => dateOf(startedMs)

/** Every value in a path is spelled with these, whatever the wire said. */
export const SAFE_PATH_VALUE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/

const PATH = new RegExp(
  String.raw`^raw/exchange=([^/]+)/channel=([^/]+)(?:/kind=([^/]+)(?:/currency=([^/]+))?)?/date=(\d{4}-\d\d-\d\d)(?:/hour=(\d\d))?/(\d{8}T\d{6}Z)(${OF_HOUR})?-(${RECORDER_NAME})-([a-z0-9]+)-(\d+)(\.jsonl\.zst\.open|\.jsonl\.zst\.rewriting|\.jsonl\.zst|\.json)$`,
)

/** Whether a file that is ours by its name is in one of these states: quicker to see than what the whole name says. */
export const isNamedAs = (file: string, states: readonly SegmentState[]) =>
  states.some(state => file.endsWith(SUFFIX[state]))

/** The other way round; undefined for any path that is not one of ours, spelled exactly as we spell it. */
export function parseSegmentPath(path: string): { name: SegmentName; state: SegmentState } | undefined {
  const match = PATH.exec(path)
  if (!match) return undefined
  const [
    ,
    exchange = '',
    channel = '',
    kind,
    currency,
    ,
    hour,
    time = '',
    ofHour,
    host = '',
    run = '',
    number = '',
    suffix = '',
  ] = match
  const state = (Object.keys(SUFFIX) as SegmentState[]).find(key => SUFFIX[key] === suffix)
  const values = [exchange, channel, kind ?? 'none', currency ?? 'none']
  if (!state || !values.every(value => SAFE_PATH_VALUE.test(value))) return undefined
  const group = { channel, ...(kind !== undefined && { kind }), ...(currency !== undefined && { currency }) }
  const length =
    hour === undefined ? ofHour === undefined && { ofDate: true as const } : { inHourFolder: true as const }
  const name = { exchange, ...group, startedMs: parseCompactTime(time), ...length, host, run, number: Number(number) }
  // A time that does not exist (month 13) or a folder that contradicts the name is not one of ours.
  if (Number.isNaN(name.startedMs) || segmentPath(name, state) !== path) return undefined
  return { name, state }
}

/** The same segment in another state, e.g. the manifest of a sealed one. */
export function withState(path: string, state: SegmentState): string {
  return path.replace(/(\.jsonl\.zst(\.open|\.rewriting)?|\.json)$/, SUFFIX[state])
}

export const isOpenPath = (path: string) => path.endsWith(SUFFIX.open)

import type { Json, JsonObject } from './json.js'

/** Which channel a fault is about: its exact name, or the start of it followed by `*`. */
export type ChannelPattern = string

/** How many frames or calls a fault hits, default 1; Infinity (from JSON: 0) for all until `clear`. */
interface Hits {
  times?: number
}

/** An error that a call is answered with. */
export interface OrderedError {
  code: number
  message: string
  data?: Json
}

const HITS_KEPT = 10_000

/** What can go wrong on demand. */
export type Fault =
  | ({ type: 'drop'; channel: ChannelPattern } & Hits)
  | ({ type: 'duplicate'; channel: ChannelPattern } & Hits)
  | ({ type: 'delay'; channel: ChannelPattern; delayMs: number } & Hits)
  /** In place of a frame of the channel: half of its text, or all of it but the last byte, so that it ends as a whole one does. */
  | ({ type: 'malformed'; channel: ChannelPattern; keeps?: 'half' | 'most' } & Hits)
  /** In place of a frame of the channel: a valid one of about so many bytes. */
  | ({ type: 'huge'; channel: ChannelPattern; bytes: number } & Hits)
  /** In place of a frame of the channel: arrays nested so deep. */
  | ({ type: 'deep'; channel: ChannelPattern; depth: number } & Hits)
  /** The frame's bytes, sent as a binary frame. */
  | ({ type: 'binary'; channel: ChannelPattern } & Hits)
  /** Asked for the trades of an instrument, the exchange finds nothing, for this instrument or any. */
  | ({ type: 'no_history'; instrument?: string } & Hits)
  /** Subscribe calls fail with this error. */
  | ({ type: 'reject_subscribe' } & OrderedError & Hits)
  /** Channels that are known, and are left out of what a client is subscribed to all the same. */
  | ({ type: 'refuse_channel'; channel: ChannelPattern } & Hits)
  /** A request about such a channel is carried out, and not answered. */
  | ({ type: 'no_answer'; channel: ChannelPattern } & Hits)
  /** The next frame of a channel's book is a whole one, with its numbers begun anew, as after a restart of the exchange. */
  | ({ type: 'begin_anew'; channel: ChannelPattern } & Hits)
  /** Channels that are promised, and never come. */
  | ({ type: 'empty_promise'; channel: ChannelPattern } & Hits)
  /** Lists of instruments lack those of a currency, those with such a name, or all. */
  | ({ type: 'short_list'; currency?: string; instrument?: ChannelPattern } & Hits)
  /** In lists of instruments a member has this value in place of its own, of one instrument or of all. */
  | ({ type: 'list_member'; instrument?: ChannelPattern; member: string; value: Json } & Hits)
  /** The numbers of an instrument's trades begin anew, at 1. */
  | { type: 'renumber'; instrument: string }
  /** Half-open: from now on nothing is sent or answered on the connections of now, or the one open longest; new ones work. */
  | { type: 'silence'; oldest?: boolean }
  /** From now on frames of these channels come no more on the connection that is open longest, which lives on. */
  | { type: 'mute'; channel: ChannelPattern }
  /** Closes all connections, or only the one that is open longest; without a code the sockets are just cut. */
  | { type: 'close'; code?: number; reason?: string; oldest?: boolean }
  /** The exchange says to the connections of now that it will end them, and does so after a while; new ones work. */
  | { type: 'upgrade'; afterMs: number }
  /** The exchange says that it ends for some time, connections are closed; new ones are refused for `forMs`. */
  | { type: 'maintenance'; forMs: number }

/** Strikes at once, on all connections of now. */
export type Strike = Extract<Fault, { type: 'silence' | 'mute' | 'close' | 'maintenance' | 'renumber' | 'upgrade' }>
type Waiting = Exclude<Fault, Strike>
const CALL_FAULTS = [
  ...(['reject_subscribe', 'refuse_channel', 'no_answer', 'begin_anew', 'empty_promise'] as const),
  ...(['no_history', 'short_list', 'list_member'] as const),
] as const
/** Those that hit a call, not a frame. */
type CallFault = Extract<Waiting, { type: (typeof CALL_FAULTS)[number] }>
type FrameFault = Exclude<Waiting, CallFault>

/** What a frame becomes: payloads to send in order, after a delay if any. */
export interface Delivery {
  payload: Buffer
  binary: boolean
  delayMs: number
}

/** The faults of a running simulator. */
export class Faults {
  /** How often each type of fault struck. */
  readonly struck: Record<string, number> = {}
  /** Channels of the frames that faults hit, the newest so many, in order. */
  readonly hits: { type: Fault['type']; channel: string }[] = []
  private waiting: { fault: Waiting; left: number }[] = []

  /** `act` carries out the faults that strike at once; `wrap` makes a frame of a channel around JSON text. */
  constructor(
    private readonly act: (fault: Strike) => void,
    private readonly wrap: (channel: string, data: string) => string,
    /** Hears what was ordered, and what was hit. */
    private readonly did: (what: object) => void = () => undefined,
  ) {}

  /** True while some fault waits for a frame or a call. */
  get armed(): boolean {
    return this.waiting.length > 0
  }

  inject(fault: Fault): void {
    this.did({ ordered: fault })
    if (isStrike(fault)) {
      this.count(fault)
      this.act(fault)
      return
    }
    const times = fault.times ?? 1
    this.waiting.push({ fault, left: times === 0 ? Infinity : times })
  }

  /** Forgets all faults that still wait. */
  clear(): void {
    this.did({ cleared: this.waiting.length })
    this.waiting = []
  }

  /** The error for a subscribe call, if one was ordered. */
  subscribeError(): OrderedError | undefined {
    const found = this.waiting.find(({ fault }) => fault.type === 'reject_subscribe')
    if (found?.fault.type !== 'reject_subscribe') return undefined
    this.use(found)
    return found.fault
  }

  /** True where a channel of a subscribe call is ordered to be left out. */
  refuses(channel: string): boolean {
    return this.orders('refuse_channel', channel)
  }

  /** True where a request about these channels is ordered not to be answered. */
  leavesUnanswered(channels: readonly string[]): boolean {
    return channels.some(channel => this.orders('no_answer', channel))
  }

  /** True where a channel's book is ordered to begin anew. */
  beginsAnew(channel: string): boolean {
    return this.orders('begin_anew', channel)
  }

  /** True where a subscription is only promised. */
  breaksPromise(channel: string): boolean {
    return this.orders('empty_promise', channel)
  }

  private orders(type: 'refuse_channel' | 'no_answer' | 'begin_anew' | 'empty_promise', channel: string): boolean {
    const found = this.waiting.find(({ fault }) => fault.type === type && matches(fault.channel, channel))
    if (found) this.use(found)
    return found !== undefined
  }

  /** True where the trades of an instrument are ordered not to be found. */
  hidesHistory(instrument: string): boolean {
    const found = this.waiting.find(
      ({ fault }) => fault.type === 'no_history' && (fault.instrument ?? instrument) === instrument,
    )
    if (found) this.use(found)
    return found !== undefined
  }

  /** A list of instruments as it is ordered to be: one call, of `currency`. */
  distort<Row extends JsonObject>(currency: string, rows: readonly Row[], nameOf: (row: Row) => string): JsonObject[] {
    let list: JsonObject[] = [...rows]
    const names = new Map(rows.map(row => [row as JsonObject, nameOf(row)]))
    const isMeant = (row: JsonObject, pattern: string | undefined) =>
      pattern === undefined || matches(pattern, names.get(row) ?? '')
    for (const entry of this.waiting) {
      const { fault } = entry
      if (fault.type === 'short_list' && (fault.currency ?? currency) === currency) {
        if (!list.some(row => isMeant(row, fault.instrument))) continue
        this.use(entry)
        list = list.filter(row => !isMeant(row, fault.instrument))
      } else if (fault.type === 'list_member' && list.some(row => isMeant(row, fault.instrument))) {
        this.use(entry)
        list = list.map(row => {
          if (!isMeant(row, fault.instrument)) return row
          const changed = { ...row, [fault.member]: fault.value }
          names.set(changed, names.get(row) ?? '')
          return changed
        })
      }
    }
    return list
  }

  /** What to send in place of a frame of `channel`. */
  apply(channel: string, frame: Buffer): Delivery[] {
    const plain = { payload: frame, binary: false, delayMs: 0 }
    for (const entry of this.waiting) {
      const { fault } = entry
      if (hitsCalls(fault) || !matches(fault.channel, channel)) continue
      this.use(entry)
      this.did({ hit: fault.type, channel })
      if (this.hits.push({ type: fault.type, channel }) > HITS_KEPT) this.hits.shift()
      return this.deliveries(fault, plain, channel)
    }
    return [plain]
  }

  private use(entry: { fault: Waiting; left: number }): void {
    this.count(entry.fault)
    entry.left -= 1
    if (entry.left <= 0) this.waiting = this.waiting.filter(other => other !== entry)
  }

  private count({ type }: Fault): void {
    this.struck[type] = (this.struck[type] ?? 0) + 1
  }

  private deliveries(fault: FrameFault, plain: Delivery, channel: string): Delivery[] {
    switch (fault.type) {
      case 'drop':
        return []
      case 'duplicate':
        return [plain, plain]
      case 'delay':
        return [{ ...plain, delayMs: fault.delayMs }]
      case 'malformed':
        return [{ ...plain, payload: plain.payload.subarray(0, keptOf(fault, plain.payload.length)) }]
      case 'huge':
        return [{ ...plain, payload: this.strange(channel, `"${'x'.repeat(fault.bytes)}"`) }]
      case 'deep':
        return [{ ...plain, payload: this.strange(channel, '['.repeat(fault.depth) + ']'.repeat(fault.depth)) }]
      case 'binary':
        return [{ ...plain, binary: true }]
    }
  }

  private strange(channel: string, data: string): Buffer {
    return Buffer.from(this.wrap(channel, data))
  }
}

const keptOf = ({ keeps = 'half' }: Extract<Fault, { type: 'malformed' }>, length: number) =>
  keeps === 'half' ? length >> 1 : length - 1

function isStrike(fault: Fault): fault is Strike {
  return ['silence', 'mute', 'close', 'maintenance', 'renumber', 'upgrade'].includes(fault.type)
}

function hitsCalls(fault: Waiting): fault is CallFault {
  return CALL_FAULTS.some(type => type === fault.type)
}

export function matches(pattern: ChannelPattern, channel: string): boolean {
  return pattern.endsWith('*') ? channel.startsWith(pattern.slice(0, -1)) : pattern === channel
}

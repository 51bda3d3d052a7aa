/** Frames as an exchange would send them, made once and sent again and again, so that the sender is never the limit. */

/** What is sent: all frames of 300 B, or sizes as a mixed subscription brings them. */
export type Shape = '300 B' | 'mix'

/** One WebSocket frame, and where in it digits stand that are written anew each time it is sent. */
export interface BenchFrame {
  bytes: Buffer
  /** The 16 digits of its sender's stamp. */
  stampAt: number
  /** The numbers that say whether something is missing; none in a quote or a ticker. */
  numbers: readonly { at: number; of: 'trade' | 'change' | 'change before'; name: number }[]
}

/** Found by the benchmark in what was recorded. */
export const STAMP_KEY = '"sent_us":'
const NO_STAMP = '1000000000000000'
/** When it happened: a frame without it would be no row. */
const TIME = '"timestamp":1790000000000'
const NAMES = 64
/** The first of the numbers; all have as many digits. */
const FIRST_NUMBER = 1_000_000_000
const SOME_NUMBER = String(FIRST_NUMBER)
const NUMBER_KEYS = [
  ['"trade_seq":', 'trade'],
  ['"prev_change_id":', 'change before'],
  ['"change_id":', 'change'],
] as const

function notification(channel: string, body: string): string {
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"${channel}","data":{${STAMP_KEY}${NO_STAMP},${TIME},${body}}}}`
}

const nameOf = (index: number) => `BTC-25DEC26-${80_000 + index * 500}-C`

/** A quote of `bytes` bytes, as the exchange spells it. */
function quote(index: number, bytes = 0): string {
  const name = nameOf(index)
  const text = (pad: string) =>
    notification(
      `quote.${name}`,
      `"instrument_name":"${name}","best_bid_price":0.${1000 + index * 7},"best_bid_amount":${10 + index}.0,"best_ask_price":0.${1010 + index * 7},"best_ask_amount":${20 + index}.5${pad}`,
    )
  const rest = bytes - text('').length - ',"pad":""'.length
  return text(rest >= 0 ? `,"pad":"${'x'.repeat(rest)}"` : '')
}

function ticker(index: number): string {
  const name = nameOf(index)
  const greeks = `"greeks":{"vega":${90 + index}.37,"theta":-${40 + index}.2,"rho":12.4,"gamma":0.00002,"delta":0.5${index}}`
  return notification(
    `ticker.${name}.100ms`,
    `"instrument_name":"${name}","state":"open","stats":{"volume_usd":${index * 31}.5,"volume":1.${index},"price_change":-2.1,"low":0.01,"high":0.09},"underlying_price":${87_000 + index}.25,"underlying_index":"BTC-25DEC26","settlement_price":0.05,"open_interest":${index * 17}.1,"min_price":0.0001,"max_price":0.1,"mark_price":0.05${index},"mark_iv":48.${index},"last_price":0.055,"interest_rate":0.0,"index_price":87010.11,${greeks},"estimated_delivery_price":87010.11,"bid_iv":47.5,"best_bid_price":0.05,"best_bid_amount":12.5,"best_ask_price":0.056,"best_ask_amount":3.4,"ask_iv":49.9`,
  )
}

function book(index: number, levels: number): string {
  const name = nameOf(index)
  const side = Array.from(
    { length: levels },
    (_, level) => `["${level % 5 === 0 ? 'delete' : 'change'}",${87_000 - level * 5}.5,${(index + level) * 10}.0]`,
  ).join(',')
  return notification(
    `book.${name}.100ms`,
    `"type":"change","instrument_name":"${name}","prev_change_id":${SOME_NUMBER},"change_id":${SOME_NUMBER},"bids":[${side}],"asks":[${side}]`,
  )
}

function trade(index: number): string {
  const name = nameOf(index)
  return `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"trades.option.BTC.100ms","data":[{${STAMP_KEY}${NO_STAMP},${TIME},"trade_seq":${SOME_NUMBER},"trade_id":"${4_000_000 + index}","tick_direction":0,"price":0.05${index},"mark_price":0.0551,"iv":48.1,"instrument_name":"${name}","index_price":87010.2,"direction":"buy","contracts":1.5,"amount":1.5}]}}`
}

/** A book as it stands when its changes begin. */
function snapshot(index: number): string {
  const name = nameOf(index)
  return notification(
    `book.${name}.100ms`,
    `"type":"snapshot","instrument_name":"${name}","change_id":${SOME_NUMBER},"bids":[["new",87000.5,10.0]],"asks":[["new",87001.0,10.0]]`,
  )
}

/** 12 quotes, 4 tickers, 3 book changes and a trade of each 20 frames; each 300th frame is a large book. */
function mixed(index: number): string {
  if (index % 300 === 299) return book(index % NAMES, 150)
  const place = index % 20
  if (place < 12) return quote(index % NAMES)
  if (place < 16) return ticker(index % NAMES)
  return place < 19 ? book(index % NAMES, 1 + (index % 9)) : trade(index % NAMES)
}

/** One WebSocket text frame, unmasked, as a server sends it. */
export function webSocketFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  if (payload.length < 126) return Buffer.concat([Buffer.from([0x81, payload.length]), payload])
  const head = Buffer.alloc(4)
  head.writeUInt8(0x81, 0)
  head.writeUInt8(126, 1)
  head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}

/** The text that such a frame carries. */
export const payloadOf = ({ bytes }: BenchFrame) => bytes.toString('utf8', (bytes.readUInt8(1) & 0x7f) === 126 ? 4 : 2)

/** What the exchange sends first: each book as it stands. */
export const benchSnapshots = () => Array.from({ length: NAMES }, (_, index) => webSocketFrame(snapshot(index)))

/** About a megabyte of frames. */
export function benchFrames(shape: Shape): BenchFrame[] {
  const frames: BenchFrame[] = []
  for (let bytes = 0, index = 0; bytes < 1024 * 1024; index++) {
    const frame = webSocketFrame(shape === 'mix' ? mixed(index) : quote(index % NAMES, 300))
    frames.push({ bytes: frame, stampAt: behind(frame, STAMP_KEY), numbers: numbersIn(frame, index % NAMES) })
    bytes += frame.length
  }
  return frames
}

const behind = (frame: Buffer, key: string) => frame.indexOf(key) + key.length

const numbersIn = (frame: Buffer, name: number) =>
  NUMBER_KEYS.flatMap(([key, of]) => (frame.includes(key) ? [{ at: behind(frame, key), of, name }] : []))

/** Counts trades and changes of each instrument on, without a hole, as the exchange does. */
export class Numbering {
  readonly #trades = new Float64Array(NAMES).fill(FIRST_NUMBER)
  readonly #changes = new Float64Array(NAMES).fill(FIRST_NUMBER)

  /** Writes the next numbers into a frame that starts at `from`. */
  write(target: Buffer, from: number, { numbers }: BenchFrame): void {
    for (const { at, of, name } of numbers) {
      const counted = of === 'trade' ? this.#trades : this.#changes
      const last = counted[name] ?? FIRST_NUMBER
      const number = of === 'change before' ? last : last + 1
      counted[name] = number
      target.write(String(number), from + at, 'latin1')
    }
  }
}

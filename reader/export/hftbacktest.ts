import { closeSync, openSync, rmSync } from 'node:fs'
import { writeFully } from '../../platform/durable-file.js'
import type { LevelChange } from '../book/followed-book.js'
import { EventOrder, type Processor, type TimedEvent } from './event-order.js'
import type { ExportedFrame } from './exported-books.js'
import { marketEvents } from './market-events.js'
import { rowBlocks, writeNpz } from './npz-file.js'
import type { ExportSource, FileSpan } from './source.js'
import type { WrittenRows } from './whole-file.js'

/** hftbacktest's row, as numpy spells it; 64 bytes. */
const DESCR =
  "[('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), ('px', '<f8'), ('qty', '<f8'), ('order_id', '<u8'), ('ival', '<i8'), ('fval', '<f8')]"
const ROW_BYTES = 64
const AT = { ev: 0, exch: 8, local: 16, price: 24, amount: 32 } as const

const KIND = { depth: 1, trade: 2, clear: 3, snapshot: 4 } as const
const BUY = 2 ** 29
const SELL = 2 ** 28
const PROCESSORS: Readonly<Record<Processor, number>> = { both: 2 ** 31 + 2 ** 30, exchange: 2 ** 31, local: 2 ** 30 }

/** Where receipt seems to come before the event, all receipts are moved so that the fastest took this long, ns. */
const BASE_LATENCY_NS = 1000n
/** No event takes longer from the exchange to its receiver, µs. */
const LATEST_US = 60_000_000

/**
 * The events of an instrument as hftbacktest reads them: books begin with a snapshot, and anew where they were lost; a
 * trade comes before the change that it caused; each row at its place in both orders.
 */
export async function writeHftBacktest(
  path: string,
  source: ExportSource,
  file: FileSpan & { instrument: string },
): Promise<WrittenRows> {
  const received = `${path}.received`
  const ordered = `${path}.ordered`
  try {
    const { rows, fastestNs, unknown, channel } = await writeReceived(received, source, file)
    const movedNs = rows > 0 && fastestNs <= 0n ? BASE_LATENCY_NS - fastestNs : 0n
    const { written, late } = writeOrdered(received, ordered, movedNs)
    await writeNpz(path, ordered, DESCR, written)
    return { rows: written, unknown, notes: { channel, receipts_moved_by_ns: Number(movedNs), late_events: late } }
  } finally {
    rmSync(received, { force: true })
    rmSync(ordered, { force: true })
  }
}

/** All rows in the order of receipt, and the shortest time that one took. */
async function writeReceived(path: string, source: ExportSource, file: FileSpan & { instrument: string }) {
  const rows = new RowWriter(path)
  let fastestNs = 2n ** 62n
  const put = (kind: number, side: number, exchNs: bigint, localNs: bigint, price: number, amount: number) => {
    if (localNs - exchNs < fastestNs) fastestNs = localNs - exchNs
    rows.put(kind + side, exchNs, localNs, price, amount)
  }
  try {
    const events = marketEvents(source, file)
    for (;;) {
      const step = await events.next()
      if (step.done === true) return { rows: rows.count, fastestNs, ...step.value }
      for (const event of step.value) {
        if ('trade' in event) {
          const { exchangeUs, localUs, side, price, amount } = event.trade
          const [exchNs, localNs] = [BigInt(exchangeUs) * 1000n, BigInt(localUs) * 1000n]
          put(KIND.trade, side === 'buy' ? BUY : SELL, exchNs, localNs, price, amount)
        } else bookRows(event.book, put)
      }
      file.advance(step.value.length)
    }
  } finally {
    rows.close()
  }
}

type Put = (kind: number, side: number, exchNs: bigint, localNs: bigint, price: number, amount: number) => void

function bookRows({ kind, opening, recvUs, exchangeMs, levels }: ExportedFrame, put: Put): void {
  const localNs = BigInt(recvUs) * 1000n
  // A book that was quiet for long was not made just now, and yet no time passes before the span.
  const exchNs =
    opening === true && exchangeMs * 1000 < recvUs - LATEST_US
      ? localNs - BigInt(LATEST_US) * 1000n
      : BigInt(exchangeMs) * 1_000_000n
  for (const side of ['bids', 'asks'] as const) {
    const flag = side === 'bids' ? BUY : SELL
    const own = levels.filter(([of]) => of === side)
    if (kind === 'snapshot') {
      const worst = own.reduce<LevelChange | undefined>(
        (found, level) => (!found || (side === 'bids' ? level[1] < found[1] : level[1] > found[1]) ? level : found),
        undefined,
      )
      if (worst) put(KIND.clear, flag, exchNs, localNs, worst[1], 0)
    }
    for (const [, price, amount] of own)
      put(kind === 'snapshot' ? KIND.snapshot : KIND.depth, flag, exchNs, localNs, price, amount)
  }
}

interface Row extends TimedEvent {
  bytes: Buffer
}

function writeOrdered(from: string, to: string, movedNs: bigint): { written: number; late: number } {
  const rows = new RowWriter(to)
  try {
    const order = new EventOrder<Row>(({ bytes, exchNs, localNs }, processor) => {
      rows.put(
        bytes.readUInt32LE(AT.ev) + PROCESSORS[processor],
        exchNs,
        localNs,
        bytes.readDoubleLE(AT.price),
        bytes.readDoubleLE(AT.amount),
      )
    })
    let place = 0
    for (const block of rowBlocks(from, ROW_BYTES)) {
      // The block's memory is used again, and rows wait for their turn.
      const copy = Buffer.from(block)
      for (let at = 0; at < copy.length; at += ROW_BYTES) {
        const bytes = copy.subarray(at, at + ROW_BYTES)
        order.take({
          bytes,
          exchNs: bytes.readBigInt64LE(AT.exch),
          localNs: bytes.readBigInt64LE(AT.local) + movedNs,
          isTrade: (bytes.readUInt32LE(AT.ev) & 0xff) === KIND.trade,
          place: place++,
        })
      }
    }
    order.end()
    return { written: rows.count, late: order.late }
  } finally {
    rows.close()
  }
}

/** Appends rows to a file, a block at a time. */
class RowWriter {
  count = 0
  readonly #fd: number
  readonly #block = Buffer.alloc(4096 * ROW_BYTES)
  #used = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'w')
  }

  put(ev: number, exchNs: bigint, localNs: bigint, price: number, amount: number): void {
    const at = this.#used
    this.#block.fill(0, at, at + ROW_BYTES)
    this.#block.writeUInt32LE(ev, at + AT.ev)
    this.#block.writeBigInt64LE(exchNs, at + AT.exch)
    this.#block.writeBigInt64LE(localNs, at + AT.local)
    this.#block.writeDoubleLE(price, at + AT.price)
    this.#block.writeDoubleLE(amount, at + AT.amount)
    this.#used += ROW_BYTES
    this.count++
    if (this.#used === this.#block.length) this.#flush()
  }

  close(): void {
    this.#flush()
    closeSync(this.#fd)
  }

  #flush(): void {
    writeFully(this.#fd, this.#block.subarray(0, this.#used))
    this.#used = 0
  }
}

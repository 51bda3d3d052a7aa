/** Frames as an exchange would send them, made once and sent again and again, so that the sender is never the limit. */

const CHANNELS = 64

/** A quote of `bytes` bytes, as the exchange spells it. */
function quoteFrame(index: number, bytes: number): string {
  const name = `BTC-25DEC26-${80_000 + index * 500}-C`
  const head = `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"quote.${name}","data":{"timestamp":${1_795_000_000_000 + index * 37},"instrument_name":"${name}",`
  const body = `"best_bid_price":0.${1000 + index * 7},"best_bid_amount":${10 + index}.0,"best_ask_price":0.${1010 + index * 7},"best_ask_amount":${20 + index}.5`
  const rest = bytes - head.length - body.length - '}}}'.length - ',"pad":""'.length
  return `${head}${body}${rest > 0 ? `,"pad":"${'x'.repeat(rest)}"` : ''}}}}`
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

/** About a megabyte of frames of this size. Returns the bytes and how many frames they are. */
export function frameBlock(bytesPerFrame: number): { block: Buffer; frames: number } {
  const frames = Math.ceil((1024 * 1024) / bytesPerFrame)
  const block = Buffer.concat(
    Array.from({ length: frames }, (_, index) => webSocketFrame(quoteFrame(index % CHANNELS, bytesPerFrame))),
  )
  return { block, frames }
}

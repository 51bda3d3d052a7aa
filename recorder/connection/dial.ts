import { connect, isIP, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net'
import { connect as connectSecure, type ConnectionOptions } from 'node:tls'
import { WebSocket } from '../../platform/web-socket.js'
import { version } from '../../platform/package-info.js'
import { proxyAgentFor } from '../../platform/proxy.js'

/** Largest frame taken; the exchange's largest answer is about 5 MB. Beyond it the connection is closed with 1009. */
const FRAME_BYTES_MAX = 64 * 1024 * 1024
/** As many as Node takes at once. */
const READ_BYTES = 64 * 1024

/**
 * One memory for all reads of a socket. By default each read has its own, which is new from the system and goes back there:
 * an eighth of what a frame costs, and 4 MiB. Listeners of `data` get copies until one says that it needs none.
 */
export class SharedMemory {
  /** Whoever listens for `data` is done with a read when it returns. */
  isUsed = false

  onread(emit: (chunk: Buffer) => void): OnReadOpts {
    const memory = Buffer.allocUnsafeSlow(READ_BYTES)
    const callback = (bytes: number) => {
      const chunk = memory.subarray(0, bytes)
      emit(this.isUsed ? chunk : Buffer.from(chunk))
      return true
    }
    return { buffer: memory, callback }
  }
}

/** A WebSocket on its way; behind a proxy each read has a memory of its own. */
export function dial(url: string): { socket: WebSocket; memory: SharedMemory } {
  const agent = proxyAgentFor(url)
  const memory = new SharedMemory()
  const connectTo = (options: NetConnectOpts & ConnectionOptions): Socket => {
    const onread = memory.onread(chunk => tcp.emit('data', chunk))
    const tcp: Socket = url.startsWith('wss:') ? secured({ ...options, onread }) : plain({ ...options, onread })
    return tcp
  }
  const socket = new WebSocket(url, {
    ...(agent ? { agent } : { createConnection: connectTo as typeof connect }),
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    followRedirects: false,
    // Invalid UTF-8 would end the connection; it is recorded as it came instead.
    skipUTF8Validation: true,
    headers: { 'User-Agent': `edgetape/${version}` },
  })
  return { socket, memory }
}

/** `path` is of the URL, where the socket would take it for a file. */
const plain = (options: NetConnectOpts) => connect({ ...options, path: undefined } as unknown as NetConnectOpts)

const secured = (options: ConnectionOptions & { onread: OnReadOpts }) =>
  connectSecure({ ...options, path: undefined, servername: isIP(options.host ?? '') ? '' : options.host })

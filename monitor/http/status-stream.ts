import type { ServerResponse } from 'node:http'
import { HEADERS, plain, type Answer, type Streams } from './server.js'

/** Pages that follow; a further one asks again and again. */
const FOLLOWERS_MAX = 8
/** One that takes less than comes is cut off, and begins anew by itself. */
const WAITING_BYTES_MAX = 1024 * 1024

/** What is seen, as server-sent events to whoever looks at the page. */
export class StatusStream {
  readonly #followers = new Set<ServerResponse>()

  readonly streams: Streams = {
    '/api/events': (_query, response): Answer | undefined => {
      if (this.#followers.size >= FOLLOWERS_MAX) return plain(503, `${FOLLOWERS_MAX} pages follow already`)
      this.#followers.add(response)
      response.once('close', () => this.#followers.delete(response))
      response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' })
      response.write('retry: 2000\n\n')
      return undefined
    },
  }

  /** @param seen asked only where somebody follows */
  send(seen: () => object | undefined): void {
    if (this.#followers.size === 0) return
    const facts = seen()
    if (!facts) return
    const event = `event: status\ndata: ${JSON.stringify(facts)}\n\n`
    for (const follower of this.#followers) {
      if (follower.writableLength > WAITING_BYTES_MAX) follower.destroy()
      else follower.write(event)
    }
  }
}

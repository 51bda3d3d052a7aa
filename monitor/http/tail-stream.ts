import type { ServerResponse } from 'node:http'
import { messageOf } from '../../platform/edge-error.js'
import type { Logger } from '../../platform/log.js'
import { tailFrameBatches } from '../../reader/tail/tail-frames.js'
import { HEADERS, plain, type Answer, type Streams } from './server.js'

/** Each reads what is recorded for itself. */
const CONSUMERS_MAX = 4
/** So much waits for a consumer; one that takes less than comes is cut off. */
const WAITING_BYTES_MAX = 1024 * 1024
/** What a consumer that was cut off has to take what waits for it. */
const CUT_WITHIN_MS = 10_000

/**
 * What is recorded, as it comes, as server-sent events: `data:` is a raw line, `id:` its receive time. `channel`,
 * `instrument` and `conn` choose. A consumer that is too slow gets the event `cut`, and is cut off.
 */
export function tailStream(dataDir: string, log: Logger, stop: AbortSignal): Streams {
  let consumers = 0
  return {
    '/api/tail': (query, response): Answer | undefined => {
      if (consumers >= CONSUMERS_MAX) return plain(503, `${CONSUMERS_MAX} consumers are there already`)
      consumers++
      const gone = new AbortController()
      response.once('close', () => {
        consumers--
        gone.abort()
      })
      const options = {
        ...{ path: dataDir, signal: AbortSignal.any([gone.signal, stop]) },
        ...{ channels: several(query, 'channel'), conns: several(query, 'conn') },
        instrument: query.get('instrument') || undefined,
      }
      response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream; charset=utf-8' })
      response.write('retry: 2000\n\n')
      pour(options, response).catch((error: unknown) => {
        log.warn({ err: messageOf(error) }, 'what is recorded can be followed no more')
        response.end(eventText('failed', { message: messageOf(error) }))
      })
      return undefined
    },
  }
}

const several = (query: URLSearchParams, name: string) => {
  // A field of a form that was left empty chooses nothing, and leaves out nothing.
  const values = query.getAll(name).flatMap(value => value.split(',').filter(one => one !== ''))
  return values.length === 0 ? undefined : values
}

async function pour(options: Parameters<typeof tailFrameBatches>[0], response: ServerResponse): Promise<void> {
  for await (const batch of tailFrameBatches(options)) {
    for (const { recvUs, line } of batch) response.write(`id: ${recvUs}\ndata: ${line.toString('utf8')}\n\n`)
    if (response.writableLength <= WAITING_BYTES_MAX) continue
    const facts = { reason: 'it takes less than comes', waiting_bytes: response.writableLength }
    response.end(eventText('cut', facts))
    setTimeout(() => response.destroy(), CUT_WITHIN_MS).unref()
    return
  }
  response.end()
}

const eventText = (event: string, facts: object) => `event: ${event}\ndata: ${JSON.stringify(facts)}\n\n`

import { EdgeError, messageOf } from '../../../platform/edge-error.js'
import { parseInstruments, type Instrument } from './instruments.js'

const ANSWER_TIMEOUT_MS = 30_000
/** More than any answer; the whole list of instruments has about 5 MB. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** The HTTP address of a method, from that of the WebSocket: same host, same version. */
export function methodUrl(webSocketUrl: string, method: string, params: Record<string, string>): URL {
  const url = new URL(webSocketUrl)
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:'
  url.pathname = `/api/v2/${method}`
  url.search = new URLSearchParams(params).toString()
  return url
}

/**
 * Asks for the instruments of each currency over HTTP, which the exchange caches and meters apart from the sockets.
 * @param take given each answer as it came
 * @throws EdgeError DISCOVERY_FAILED, `retry` set: no answer, or one that is none
 */
export async function fetchInstruments(
  webSocketUrl: string,
  currencies: readonly string[],
  take: (answer: Buffer) => void,
  signal: AbortSignal,
): Promise<{ instruments: Instrument[]; notUnderstood: number }> {
  const found = new Map<string, Instrument>()
  let notUnderstood = 0
  for (const currency of currencies) {
    const url = methodUrl(webSocketUrl, 'public/get_instruments', { currency })
    const answer = await fetchAnswer(url, signal)
    take(answer)
    const parsed = parseInstruments(resultOf(answer, url))
    notUnderstood += parsed.notUnderstood
    for (const instrument of parsed.instruments) found.set(instrument.instrument_name, instrument)
  }
  return { instruments: [...found.values()], notUnderstood }
}

async function fetchAnswer(url: URL, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      redirect: 'error',
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    if (bytes.length > ANSWER_BYTES_MAX) throw new Error(`answer of ${bytes.length} bytes`)
    // An error of the exchange has a JSON body, which says more than the status.
    if (!response.ok && bytes[0] !== 0x7b) throw new Error(`HTTP ${response.status}`)
    return bytes
  } catch (cause) {
    throw failed(url, reasonOf(cause), cause)
  }
}

/** `fetch failed` says nothing; its cause says what. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && cause.message !== '' ? cause.message : messageOf(thrown)
}

function resultOf(answer: Buffer, url: URL): unknown {
  let parsed: unknown
  try {
    parsed = JSON.parse(answer.toString('utf8'))
  } catch (cause) {
    throw failed(url, 'the answer is not JSON', cause)
  }
  if (typeof parsed !== 'object' || parsed === null || !('result' in parsed)) {
    const error =
      typeof parsed === 'object' && parsed !== null && 'error' in parsed ? JSON.stringify(parsed.error) : 'no result'
    throw failed(url, error)
  }
  return parsed.result
}

function failed(url: URL, reason: string, cause?: unknown): EdgeError {
  return new EdgeError('DISCOVERY_FAILED', `cannot list instruments from ${url.origin}${url.pathname}: ${reason}`, {
    retry: true,
    cause,
  })
}

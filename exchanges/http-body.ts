import { EdgeError, messageOf } from '../platform/edge-error.js'

const ANSWER_TIMEOUT_MS = 30_000
/** More than any answer; the longest list of instruments has about 5 MB. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const OPEN_OBJECT = 0x7b

/** A question over HTTP, by GET where it has no body. */
export interface HttpQuestion {
  url: URL
  /** JSON. */
  body?: string
  headers?: Readonly<Record<string, string>>
}

/**
 * The body of an answer, as it came. An error of an exchange has a JSON body, which says more than the status.
 * @throws EdgeError HTTP_CALL_FAILED with `retry`: no answer, or one that is none
 */
export async function httpBody({ url, body, headers = {} }: HttpQuestion, signal: AbortSignal): Promise<Buffer> {
  try {
    const response = await fetch(url, {
      ...(body !== undefined && { method: 'POST', body }),
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
      redirect: 'error',
    })
    const bytes = await bytesOf(response)
    if (!response.ok && bytes[0] !== OPEN_OBJECT) throw new Error(`HTTP ${response.status}`)
    return bytes
  } catch (cause) {
    throw httpFailed(url, reasonOf(cause), cause)
  }
}

export function httpFailed(url: URL, reason: string, cause?: unknown): EdgeError {
  return new EdgeError('HTTP_CALL_FAILED', `no answer from ${url.origin}${url.pathname}: ${reason}`, {
    retry: true,
    cause,
  })
}

/** Read no further than an answer may be long: whoever sends without end shall not fill the memory first. */
async function bytesOf({ body }: Response): Promise<Buffer> {
  if (!body) return Buffer.alloc(0)
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Ending the loop cancels the rest.
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > ANSWER_BYTES_MAX) throw new Error(`an answer of more than ${ANSWER_BYTES_MAX} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** `fetch failed` says nothing; its cause says what. */
function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && cause.message !== '' ? cause.message : messageOf(thrown)
}

import { createRequire } from 'node:module'
import { Writable } from 'node:stream'
import pino from 'pino'
import { EdgeError } from './edge-error.js'

export type Logger = pino.Logger

/** Values under these keys never reach a log, whatever object carries them. */
const SECRET_KEYS = [
  'client_secret',
  'clientSecret',
  'access_token',
  'refresh_token',
  'signature',
  'password',
  'webhook',
  'authorization',
]

/** Of the log, where nobody takes it. */
const WAITING_MAX_CHARS = 1024 * 1024

/** An error that we raised says all in its message; the stack is for those that nobody foresaw. */
function describe(error: unknown): unknown {
  if (!(error instanceof EdgeError)) return error instanceof Error ? pino.stdSerializers.err(error) : error
  const { code, message, hint } = error
  return { code, message, hint }
}

/**
 * The log of one part, on stderr: one JSON object a line, or readable lines on a terminal.
 * `EDGETAPE_LOG` sets the level (`debug`, `info`, `warn`, `error`, `silent`).
 */
export function createLogger(part: string, level = process.env['EDGETAPE_LOG'] ?? 'info'): Logger {
  const paths = SECRET_KEYS.flatMap(key => [key, `*.${key}`, `*.*.${key}`])
  const options: pino.LoggerOptions = {
    name: part,
    level,
    base: { part },
    serializers: { err: describe },
    redact: { paths, censor: '[secret]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  }
  const destination = stderr()
  if (process.stderr.isTTY) {
    // Thirty modules that a log without a reader does not need.
    const pretty = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty')
    const readable = pretty({
      destination: new Writable({
        write(text: Buffer, _encoding, done) {
          destination.write(text.toString('utf8'))
          done()
        },
      }),
      ignore: 'part,name',
      messageFormat: '{part}: {msg}',
      singleLine: true,
    })
    return pino(options, readable)
  }
  return pino(options, destination)
}

/**
 * A terminal that was closed or a file on a full disk takes no more of the log, and that must not end a part that seals
 * what it has: there is nobody left to read it. What waits for room is bounded.
 */
function stderr(): ReturnType<typeof pino.destination> {
  const destination = pino.destination({ fd: 2, sync: true, maxLength: WAITING_MAX_CHARS })
  destination.on('error', () => undefined)
  return destination
}

import pino from 'pino'
import pretty from 'pino-pretty'
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
  if (process.stderr.isTTY) {
    const readable = pretty({
      destination: 2,
      sync: true,
      ignore: 'part,name',
      messageFormat: '{part}: {msg}',
      singleLine: true,
    })
    return pino(options, readable)
  }
  return pino(options, pino.destination({ fd: 2, sync: true }))
}

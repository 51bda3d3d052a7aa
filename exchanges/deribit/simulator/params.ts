import { invalidParam, rpcError } from './rpc-error.js'

/**
 * Parameters of a call, by name. Over HTTP GET all values are text, so numbers and booleans are read from text, too.
 * Every reader throws RpcError -32602 with `{reason, param}`.
 */
export class Params {
  constructor(private readonly values: Readonly<Record<string, unknown>> | undefined) {}

  /** For methods that cannot do without: -32000 where there are no parameters at all. */
  private required(param: string): unknown {
    if (this.values === undefined) throw rpcError(-32000)
    const value = this.values[param]
    if (value === undefined || value === null || value === '') throw invalidParam('value is required', param)
    return value
  }

  private given(param: string): boolean {
    const value = this.values?.[param]
    return value !== undefined && value !== null && value !== ''
  }

  text(param: string): string {
    const value = this.required(param)
    if (typeof value !== 'string') throw invalidParam('must be a string', param)
    return value
  }

  optionalText(param: string): string | undefined {
    return this.given(param) ? this.text(param) : undefined
  }

  oneOf<T extends string>(param: string, allowed: readonly T[], fallback?: T): T {
    if (fallback !== undefined && !this.given(param)) return fallback
    const value = this.text(param)
    const found = allowed.find(item => item === value)
    if (found === undefined) throw invalidParam(`must be one of ${allowed.join(', ')}`, param)
    return found
  }

  integer(param: string): number {
    const value = this.required(param)
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) throw invalidParam('must be an integer', param)
    return number
  }

  optionalInteger(param: string): number | undefined {
    return this.given(param) ? this.integer(param) : undefined
  }

  /** A whole number between `low` and `high`; `fallback` where it was left out. */
  bounded(param: string, low: number, high: number, fallback: number): number {
    const value = this.optionalInteger(param) ?? fallback
    if (value < low) throw invalidParam(`value must be >= ${low}`, param)
    if (value > high) throw invalidParam(`value must be <= ${high}`, param)
    return value
  }

  flag(param: string): boolean {
    const value = this.values?.[param]
    return value === true || value === 'true'
  }

  /** A list of texts; over HTTP GET a JSON array. */
  list(param: string): string[] {
    let value = this.required(param)
    if (typeof value === 'string' && value.startsWith('[')) value = parseList(value)
    if (!Array.isArray(value) || !value.every(item => typeof item === 'string')) {
      throw invalidParam('must be an array of strings', param)
    }
    return value
  }
}

function parseList(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** What can stand in a frame. A bigint is written as a whole number with all its digits, beyond 2^53 too. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

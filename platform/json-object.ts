/** An object of JSON whose members are not known yet; a list is none. */
export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The value of a text; undefined for what is no JSON, such as half a frame. */
export function parsedJson(text: Buffer | string): unknown {
  try {
    return JSON.parse(text.toString('utf8'))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The same as an object; undefined for anything else. */
export function parsedObject(text: Buffer | string): JsonObject | undefined {
  const value = parsedJson(text)
  return isJsonObject(value) ? value : undefined
}

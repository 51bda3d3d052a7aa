/** An object of JSON whose members are not known yet; a list is none. */
export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What these bytes are as an object; undefined for anything else, such as half a frame. */
export function parsedObject(text: Buffer | string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text.toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

import { isJsonObject, parsedObject, type JsonObject } from '../../platform/json-object.js'

/** What a notification says, as a parser reads it: of the few frames that are parsed. Undefined for anything else. */
export function paramsOf(frame: Buffer | string): JsonObject | undefined {
  const params = parsedObject(frame)?.['params']
  return isJsonObject(params) ? params : undefined
}

/** Its data: an object or a list, mostly. */
export const dataOf = (frame: Buffer | string): unknown => paramsOf(frame)?.['data']

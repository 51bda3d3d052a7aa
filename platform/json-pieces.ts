/**
 * A JSON object in the very bytes of `JSON.stringify(value, null, 2)`, a piece of whole lines at a time, each without its
 * line feed. What can be iterated over is a list, of which no item is made before its turn: all of them need not fit in memory.
 */
export function* jsonPieces(value: Readonly<Record<string, unknown>>): Generator<string, void> {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined)
  if (entries.length === 0) {
    yield '{}'
    return
  }
  yield '{'
  for (const [at, [key, one]] of entries.entries()) {
    const head = `  ${JSON.stringify(key)}: `
    const end = at < entries.length - 1 ? ',' : ''
    if (isList(one)) yield* listPieces(head, one, end)
    else yield `${head}${indented(one, '  ')}${end}`
  }
  yield '}'
}

function* listPieces(head: string, list: Iterable<unknown>, end: string): Generator<string, void> {
  let waiting: string | undefined
  for (const item of list) {
    yield waiting === undefined ? `${head}[` : `${waiting},`
    waiting = `    ${indented(item, '    ')}`
  }
  if (waiting !== undefined) yield waiting
  yield waiting === undefined ? `${head}[]${end}` : `  ]${end}`
}

const isList = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value

/** Within a text of JSON no line feed stands for itself. */
const indented = (value: unknown, by: string) => JSON.stringify(value, null, 2).replaceAll('\n', `\n${by}`)

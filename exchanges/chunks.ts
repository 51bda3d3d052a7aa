/** What one request may hold. */
export interface ChunkLimits {
  countMax: number
  bytesMax: number
}

/** Cuts a list into parts that each fit a request, in order; an item that alone is too long has a part of its own. */
export function chunked<Item>(
  items: readonly Item[],
  { countMax, bytesMax }: ChunkLimits,
  bytesOf: (item: Item) => number,
): Item[][] {
  const chunks: Item[][] = []
  let current: Item[] = []
  let bytes = 0
  for (const item of items) {
    const size = bytesOf(item)
    if (current.length > 0 && (current.length === countMax || bytes + size > bytesMax)) {
      chunks.push(current)
      current = []
      bytes = 0
    }
    current.push(item)
    bytes += size
  }
  if (current.length > 0) chunks.push(current)
  return chunks
}

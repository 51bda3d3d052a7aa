import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { quarantineFiles } from '../formats/quarantine-tree.js'
import { parseSegmentPath } from '../formats/raw-path.js'
import { targetOf } from './channel-target.js'
import { groupBy } from '../platform/group-by.js'
import type { Interval } from './intervals.js'
import { datesOf } from './parquet-reader.js'
import type { Span } from '../platform/spans.js'

/** Lines of one kind that are no further apart than this are told as one interval, µs. */
const TOGETHER_US = 60_000_000

const lineSchema = z.object({ segment: z.string(), reason: z.string(), raw: z.string() })

/** Lines that could not be converted, by the time in them; one without goes by the beginning of its segment. */
export async function readQuarantine(root: string, window: Span): Promise<Interval[]> {
  const lines: BadLine[] = []
  for (const path of quarantineFiles(root, { dates: datesOf(window) })) {
    for await (const text of createInterface({ input: createReadStream(join(root, path)), crlfDelay: Infinity })) {
      const line = badLineOf(text)
      if (line && line.us >= window.fromUs && line.us < window.toUs) lines.push(line)
    }
  }
  const keyOf = ({ host, family, instrument, reason }: BadLine) => [host, family, instrument, reason].join(' ')
  return [...groupBy(lines, keyOf).values()].flatMap(group => clustersOf(group.sort((a, b) => a.us - b.us)))
}

/** Undefined for one that was torn. */
function lineOf(text: string) {
  try {
    return lineSchema.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function badLineOf(text: string): BadLine | undefined {
  const { segment = '', reason = '', raw = '' } = lineOf(text) ?? {}
  const name = parseSegmentPath(segment)?.name
  if (!name) return undefined
  const [, recvUs] = /"recv_us":(\d+)/.exec(raw) ?? []
  const [, channel = ''] = /"channel":"([^"]+)"/.exec(raw) ?? []
  return {
    host: name.host,
    family: name.channel,
    instrument: targetOf(channel)?.name,
    reason,
    us: recvUs === undefined ? name.startedMs * 1000 : Number(recvUs),
  }
}

interface BadLine {
  host: string
  family: string
  instrument: string | undefined
  reason: string
  us: number
}

function clustersOf(lines: readonly BadLine[]): Interval[] {
  const clusters: Interval[] = []
  for (const { host, family, instrument, reason, us } of lines) {
    const last = clusters.at(-1)
    if (last && us - last.toUs <= TOGETHER_US) {
      last.toUs = us
      last.count = (last.count ?? 0) + 1
      continue
    }
    clusters.push({
      gap: 'quarantine',
      fromUs: us,
      toUs: us,
      host,
      conn: undefined,
      cause: reason,
      families: [family],
      channels: undefined,
      instrument,
      filled: false,
      count: 1,
    })
  }
  return clusters
}

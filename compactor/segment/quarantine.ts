import { join } from 'node:path'
import { lineHead } from '../../formats/raw-line.js'
import { countOf, sqlText } from '../../platform/duckdb.js'
import type { Engine } from '../engine.js'
import type { Source } from './source.js'
import { KNOWN } from '../lines/verdict.js'

/**
 * The journal's entry on lines of a segment that went to quarantine, as a raw line. It is made from the segment alone,
 * and of its start: converted again, it is the same, or gone when the lines are understood.
 * @param reasons how often each reason led to quarantine
 */
export function noteLine({ segment, name }: Pick<Source, 'segment' | 'name'>, reasons: Record<string, number>) {
  const [[reason] = []] = Object.entries(reasons).sort(([, one], [, other]) => other - one)
  const entry = {
    event: 'quarantined',
    channel: name.channel,
    segment,
    frames: Object.values(reasons).reduce((sum, count) => sum + count, 0),
    reason,
    reasons,
    host: name.host,
    run: name.run,
  }
  return `${lineHead(name.startedMs * 1000, 'compactor', name.number, 'frame')}${JSON.stringify(entry)}}`
}

/** Writes the lines in `main.leftovers` that are not understood to a file in `folder`, each with its reason. */
export async function writeQuarantine(engine: Engine, source: Source, folder: string): Promise<string> {
  const path = join(folder, 'quarantine.jsonl')
  const wanted = `NOT starts_with(verdict, ${sqlText(KNOWN)})`
  const [[broken] = []] = await engine.rows(`SELECT count(*) FROM main.leftovers WHERE ${wanted} AND bytes IS NOT NULL`)
  const base64 = countOf(broken) > 0 ? ', to_base64(bytes) AS raw_base64' : ''
  await engine.run(`COPY (
    SELECT verdict AS reason, ${sqlText(source.segment)} AS segment, line_no AS line, coalesce(line, '') AS raw${base64}
    FROM main.leftovers WHERE ${wanted} ORDER BY line_no
  ) TO ${sqlText(path)} (FORMAT json)`)
  return path
}

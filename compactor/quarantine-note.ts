import { lineHead } from '../formats/raw-line.js'
import type { Source } from './source.js'

/**
 * The journal's entry on lines of a segment that went to quarantine, as a raw line. It is made from the segment alone,
 * and told of its start: converted again, it is the same, or gone when the lines are understood.
 * @param reasons how often each reason led to quarantine
 */
export function quarantineNote({ segment, name }: Pick<Source, 'segment' | 'name'>, reasons: Record<string, number>) {
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

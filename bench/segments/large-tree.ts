import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { segmentPath, withState } from '../../formats/raw-path.js'
import { STARTED_MS } from './made-lines.js'

const FAMILIES = 20
const HOURS = 7 * 24
const HOUR_MS = 3_600_000

/** Makes `count` sealed segments with manifests, spread over a week of hours and 20 families. Their content is never read. */
export function makeSealedTree(dataDir: string, count: number): void {
  for (let index = 0; index < count; index++) {
    const startedMs = STARTED_MS - HOUR_MS * (1 + (index % HOURS))
    const channel = `family${index % FAMILIES}`
    const name = { exchange: 'deribit', channel, startedMs, host: 'bench', run: 'r0', number: index + 1 }
    const path = join(dataDir, segmentPath(name, 'sealed'))
    if (index < HOURS * FAMILIES) mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'sealed')
    writeFileSync(withState(path, 'manifest'), '{}')
  }
}

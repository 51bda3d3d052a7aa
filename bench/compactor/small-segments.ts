import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { runCompactor } from '../../compactor/main.js'
import { configSchema } from '../../config/schema.js'
import { FAMILIES, type Family } from './families.js'
import { writeSegment } from './lines.js'

const LINES = 1000
/** Of each family, one an hour; the first few are not counted: a running compactor has its code and SQL loaded. */
const SEGMENTS = 40
const FEW_SEGMENTS = 20
const FIRST = 8
const HOUR_MS = 3_600_000
const START_MS = Date.parse('2026-11-22T00:00:00Z')

/** What a small segment costs in a compactor that runs, by family: CPU seconds of each, the first ones left out. */
export async function costOfSmallSegments(quick = false): Promise<Map<Family, number[]>> {
  const costs = new Map<Family, number[]>()
  for (const family of Object.keys(FAMILIES) as Family[]) {
    const dataDir = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
    try {
      for (let number = 1; number <= (quick ? FEW_SEGMENTS : SEGMENTS); number++)
        writeSegment(dataDir, family, frames => frames >= LINES, LINES, {
          startedMs: START_MS + (number - 1) * HOUR_MS,
          number,
        })
      costs.set(family, (await costOfEach(dataDir)).slice(FIRST))
    } finally {
      rmSync(dataDir, { recursive: true, force: true })
    }
  }
  return costs
}

async function costOfEach(dataDir: string): Promise<number[]> {
  const config = configSchema.parse({ dataDir, host: 'bench', exchange: { name: 'deribit' } })
  const costs: number[] = []
  let before = process.cpuUsage()
  const onProgress = () => {
    const { user, system } = process.cpuUsage(before)
    costs.push((user + system) / 1e6)
    before = process.cpuUsage()
  }
  const nowMs = () => START_MS
  const { failing } = await runCompactor({ config, log: pino({ level: 'silent' }), once: true, onProgress, nowMs })
  if (failing > 0) throw new Error(`${failing} segments were not converted`)
  return costs
}

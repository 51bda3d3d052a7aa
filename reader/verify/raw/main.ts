import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { sizeText } from '../../../platform/figures.js'
import type { Findings } from '../findings.js'
import type { Proof, ProofOptions, ProofResult } from '../proof.js'
import { listRaw, rawPlaceOf, type RawPlace, type RawTree } from './find-segments.js'
import { RunProof, type Run } from './run-proof.js'
import { reportVanished } from './vanished.js'

/** `verify raw`: every segment against its manifest, every line, and `seq` over all segments of each run. */
export const rawProof: Proof = {
  name: 'raw',
  describes: 'segments: manifests, zstd frames, lines, seq and receive times',
  isHere: root => existsSync(join(root, 'raw')),
  prove: proveRaw,
}

async function proveRaw(path: string, { findings, startProgress }: ProofOptions): Promise<ProofResult> {
  const place = rawPlaceOf(path)
  const tree = listRaw(place)
  const listedUs = Date.now() * 1000
  const isWhole = /^raw(\/exchange=[^/]+)?$/.test(place.below)
  const runs = runsOf(tree)
  const progress = startProgress(
    'verify raw',
    tree.segments.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  const totals = { runs: runs.length, segments: 0, openSegments: 0, frames: 0, bytesRaw: 0, connections: 0 }
  for (const run of runs) {
    const mayFollow = isNewest(run, runs) && !existsSync(join(place.root, 'state'))
    const { root } = place
    const proof = new RunProof(run, { root, findings, isWhole, mayFollow, listedUs, onBytes: progress.advance })
    const found = await proof.prove()
    for (const key of ['segments', 'openSegments', 'frames', 'bytesRaw', 'connections'] as const)
      totals[key] += found[key]
  }
  reportTree(tree, place, isWhole, findings)
  if (isWhole) await reportVanished(place.root, listedUs, findings)
  const { segments, openSegments, frames, bytesRaw, connections } = totals
  const seq = isWhole ? `seq of ${connections} connections` : 'seq within each family only'
  const size = sizeText(bytesRaw)
  const text = `${count(segments)} segments (${count(openSegments)} open), runs: ${count(runs.length)}, ${count(frames)} frames, ${size}; ${seq}`
  return { text, facts: totals }
}

function runsOf({ segments }: RawTree): Run[] {
  const runs = new Map<string, Run>()
  for (const segment of segments) {
    const { exchange, host, run } = segment.name
    const key = `${exchange} ${host} ${run}`
    const known = runs.get(key) ?? { host, run, segments: [] }
    known.segments.push(segment)
    runs.set(key, known)
  }
  // By their numbers: the clock by which they are named may be set back.
  for (const run of runs.values()) run.segments.sort((a, b) => a.name.number - b.name.number)
  return [...runs.values()]
}

/** Runs come in the order of their first segment. */
function isNewest(run: Run, runs: readonly Run[]): boolean {
  return runs.findLast(({ host }) => host === run.host) === run
}

function reportTree(tree: RawTree, place: RawPlace, isWhole: boolean, findings: Findings): void {
  for (const path of tree.lonelyManifests) {
    const message = 'its segment is not here: gone by retention, or not brought here yet'
    findings.add({ weight: 'note', code: 'SEGMENT_NOT_HERE', path, message })
  }
  for (const path of tree.strangers)
    findings.add({ weight: 'note', code: 'NOT_OURS', path, message: 'is no name of ours; not looked at' })
  if (isWhole || tree.segments.length === 0) return
  const message = 'a part of raw/: frames are numbered over all families, so holes in seq were not looked for'
  findings.add({ weight: 'unproven', code: 'SEQ_PART_ONLY', path: place.below, message })
}

const count = (value: number) => value.toLocaleString('en')

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What `node --cpu-prof` writes of one thread. */
interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string }; children?: number[] }[]
  samples: number[]
  timeDeltas: number[]
  /** µs of the monotonic clock. */
  startTime: number
}

/** A function and what it calls, with its time and theirs, µs. */
export interface Flame {
  name: string
  url: string
  us: number
  calls: Flame[]
}

/** The threads of a process that ended by itself, from a folder for `--cpu-prof-dir`; the main one is the first. */
export function readProfiles(folder: string): CpuProfile[] {
  const files = readdirSync(folder).filter(name => name.endsWith('.cpuprofile'))
  // Node numbers threads in its names: CPU.<date>.<time>.<pid>.<thread>.<n>.cpuprofile
  const threadOf = (name: string) => Number(name.split('.')[4])
  return files
    .sort((one, other) => threadOf(one) - threadOf(other))
    .map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as CpuProfile)
}

/** What a thread did in a span of the monotonic clock, waiting left out. Pure. */
export function flameOf({ nodes, samples, timeDeltas, startTime }: CpuProfile, fromUs: number, toUs: number): Flame {
  const own = new Map<number, number>()
  let atUs = startTime
  samples.forEach((id, index) => {
    const us = timeDeltas[index] ?? 0
    atUs += us
    if (atUs >= fromUs && atUs < toUs) own.set(id, (own.get(id) ?? 0) + us)
  })
  const byId = new Map(nodes.map(node => [node.id, node]))
  const flame = (id: number): Flame => {
    const node = byId.get(id)
    const calls = (node?.children ?? []).map(flame).filter(({ us, name }) => us > 0 && !IDLE.includes(name))
    const us = calls.reduce((sum, call) => sum + call.us, own.get(id) ?? 0)
    const { functionName = '', url = '' } = node?.callFrame ?? {}
    return { name: functionName || '(anonymous)', url, us, calls: sameTogether(calls) }
  }
  return flame(nodes[0]?.id ?? 0)
}

const IDLE = ['(idle)', '(program)']

/** One name called from several places of a function is one. */
function sameTogether(calls: readonly Flame[]): Flame[] {
  const found = new Map<string, Flame>()
  for (const call of calls) {
    const known = found.get(call.name + call.url)
    if (known) {
      known.us += call.us
      known.calls = sameTogether([...known.calls, ...call.calls])
    } else found.set(call.name + call.url, { ...call })
  }
  return [...found.values()].sort((one, other) => other.us - one.us)
}

/** How much of a flame each stage is: every function belongs to the stage of the nearest caller that has one. Pure. */
export function stagesOf(
  flame: Flame,
  stageOf: (flame: Flame) => string | undefined,
  within = '',
): Map<string, number> {
  const stage = stageOf(flame) ?? within
  const own = flame.us - flame.calls.reduce((sum, { us }) => sum + us, 0)
  const sums = new Map([[stage, own]])
  for (const call of flame.calls)
    for (const [name, us] of stagesOf(call, stageOf, stage)) sums.set(name, (sums.get(name) ?? 0) + us)
  return sums
}

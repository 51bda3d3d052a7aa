import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { plainTable } from '../plain-table.js'
import { packageRoot } from '../../platform/package-info.js'
import { machine } from '../machine.js'
import { flameSvg } from './flame-svg.js'
import type { BenchOptions } from './main.js'
import { newRecording, record } from './processes.js'
import { flameOf, readProfiles, stagesOf, type Flame } from './profile.js'

/** The drawing of docs/performance.md. */
const DRAWING = join(packageRoot, 'docs/recorder-flame.svg')

/** Stages by where their functions stand; the first that fits. */
const STAGES: readonly (readonly [stage: string, where: RegExp])[] = [
  ['memory: collected', /^\(garbage collector\)/],
  ['ws: the protocol', /\/ws\/lib\//],
  ['Node: sockets and streams', /^\S+ node:(?:net|internal\/stream)/],
  ['recorder: stamps, heads and checks', /\/recorder\/connection\//],
  ['exchange: which channel it is, numbers', /\/exchanges\//],
  ['recorder: routing, lines into batches', /\/recorder\/(?:frame-router|line-batch|channel-watch|silence-watch)/],
  ['storage: is it JSON', /\/recorder\/(?:json-|storage\/line-encoding)|wasm:/],
  ['storage: handed over, compressed, written', /\/recorder\/storage\/|\/platform\/(?:zstd|disk)/],
]

const stageOf = ({ name, url }: Flame) => STAGES.find(([, where]) => where.test(`${name} ${url}`))?.[0]

/** Where the recorder's time goes when it takes all it can: a table of stages, and the drawing of docs/performance.md. */
export async function benchFlame({ seconds }: BenchOptions): Promise<void> {
  const recording = newRecording()
  const folder = mkdtempSync(join(tmpdir(), 'edgetape-bench-'))
  try {
    const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`]
    const how = { recording, shape: 'mix', pinned: false, framesPerSecond: 0, seconds, nodeFlags } as const
    const { fromMonotonicUs, toMonotonicUs } = await record({ ...how, seal: true })
    const profiles = readProfiles(folder)
    const threads = ['receiving thread', 'storage thread'].flatMap((title, index) => {
      const profile = profiles[index]
      return profile ? [{ title, flame: flameOf(profile, fromMonotonicUs, toMonotonicUs) }] : []
    })
    const table = plainTable(['flat out, mix', 'of one core, %', 'of the thread, %'])
    for (const { title, flame } of threads) {
      table.push([title, share(flame.us, toMonotonicUs - fromMonotonicUs), ''])
      const stages = [...stagesOf(flame, stageOf, 'Node: events and messages')]
      for (const [stage, us] of stages.sort(([, one], [, other]) => other - one))
        table.push([`  ${stage}`, share(us, toMonotonicUs - fromMonotonicUs), share(us, flame.us)])
    }
    writeFileSync(DRAWING, flameSvg(threads))
    process.stdout.write(`where a recorder's time goes, on ${machine()}\n${table.toString()}\n${DRAWING}\n`)
  } finally {
    recording.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

const share = (us: number, of: number) => ((100 * us) / of).toFixed(1)

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../platform/package-info.js'
import { wasmProgram } from '../platform/web-assembly.js'
import { isJsonLine } from './json-text.js'

/** As many bytes are looked at in one call: they stay in the processor's caches. */
const LINES_BYTES = 64 * 1024
const FRAMES_MAX = 1024

/** What `deploy/json-wasm/build.sh` makes; numbers are places in its memory, or counts. */
interface Program {
  memory: { readonly buffer: ArrayBuffer }
  lines: { readonly value: number }
  spans: { readonly value: number }
  soundFrames(frames: number): number
}

/**
 * How many of the frames, from the first one on, are one line of JSON each, as `isJsonLine` has it. The encoding (UTF-8) is
 * the caller's to check.
 *
 * @param spans where the frames stand in `lines`, in their order: from and to, one pair a frame
 */
type SoundFrames = (lines: Uint8Array, spans: Uint32Array) => number

let loaded: SoundFrames | undefined
export const soundFrames: SoundFrames = (lines, spans) => (loaded ??= load())(lines, spans)

function load(): SoundFrames {
  try {
    return loadWasmSoundFrames()
  } catch {
    // WebAssembly is off, the processor lacks what it needs, or the process may not have so much address space.
    return inJavaScript
  }
}

function inJavaScript(lines: Uint8Array, spans: Uint32Array): number {
  let at = 0
  while (at < spans.length && isJsonLine(lines, spans[at], spans[at + 1])) at += 2
  return at / 2
}

/**
 * In a fourth of the time, or less: 16 bytes are looked at together.
 * @throws Error where there is no WebAssembly that can do so
 */
export function loadWasmSoundFrames(): SoundFrames {
  const begin = wasmProgram(readFileSync(join(packageRoot, 'recorder', 'json-lines.wasm')))
  const program = begin() as Program
  const { buffer } = program.memory
  const copiedLines = new Uint8Array(buffer, program.lines.value, LINES_BYTES)
  const copiedSpans = new Uint32Array(buffer, program.spans.value, 2 * FRAMES_MAX)
  return (lines, spans) => {
    let at = 0
    while (at < spans.length) {
      const base = spans[at] as number
      let copied = 0
      while (copied < copiedSpans.length && at + copied < spans.length) {
        const to = (spans[at + copied + 1] as number) - base
        if (to > LINES_BYTES) break
        copiedSpans[copied] = (spans[at + copied] as number) - base
        copiedSpans[copied + 1] = to
        copied += 2
      }
      if (copied === 0) {
        // Too long for the copy.
        if (!isJsonLine(lines, base, spans[at + 1])) break
        at += 2
        continue
      }
      copiedLines.set(lines.subarray(base, spans[at + copied - 1]))
      const sound = 2 * program.soundFrames(copied / 2)
      at += sound
      if (sound < copied) break
    }
    return at / 2
  }
}

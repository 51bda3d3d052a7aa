import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import t, { type Test } from 'tap'
import { loadWasmZstd } from '../../platform/zstd-wasm.js'
import { EndDirective } from '../../platform/zstd.js'
import type { Compressor, Decompressor, Zstd } from '../../platform/zstd-api.js'
import { needsThat } from '../fixtures/needs.js'

const wasm = loadWasmZstd()

function addon(t: Test): Zstd | undefined {
  try {
    return createRequire(import.meta.url)('zstd-napi/binding.js') as Zstd
  } catch {
    needsThat(t, false, 'needs zstd-napi: npm ci')
    return undefined
  }
}

function withChecksums({ CCtx }: Zstd, level: number): Compressor {
  const context = new CCtx()
  for (const [parameter, value] of [
    [100, level],
    [200, 1],
    [201, 1],
  ] as const)
    context.setParameter(parameter, value)
  return context
}

/** Whatever is in whole frames, and whether one ended last. */
function decoded(context: Decompressor, frames: Buffer, targetBytes: number) {
  const pieces: Buffer[] = []
  let isWhole = true
  for (let [from, full] = [0, false]; from < frames.length || full;) {
    const target = Buffer.alloc(targetBytes)
    const [remaining, produced, taken] = context.decompressStream(target, frames.subarray(from))
    from += taken
    isWhole = remaining === 0
    full = produced === target.length && !isWhole
    pieces.push(target.subarray(0, produced))
  }
  return { bytes: Buffer.concat(pieces), isWhole }
}

function inPieces(context: Compressor, source: Buffer, pieceBytes: number): Buffer {
  const made: Buffer[] = []
  context.setPledgedSrcSize(source.length)
  for (let from = 0; from < source.length; from += pieceBytes) {
    const piece = source.subarray(from, from + pieceBytes)
    const directive = from + pieceBytes >= source.length ? EndDirective.end : EndDirective.continue
    for (let [at, left] = [0, 1]; at < piece.length || left > 0;) {
      const target = Buffer.alloc(5000)
      const [remaining, produced, taken] = context.compressStream2(target, piece.subarray(at), directive)
      at += taken
      left = directive === EndDirective.end ? remaining : 0
      made.push(target.subarray(0, produced))
    }
  }
  return Buffer.concat(made)
}

const lines = Buffer.from(
  Array.from({ length: 20_000 }, (_, n) => `{"recv_us":${1_790_000_000_000_000 + n * 977},"n":${n}}\n`).join(''),
)
const SOURCES = [Buffer.from('a'), lines, randomBytes(300_000), Buffer.concat([lines, randomBytes(10), lines])]

t.test('zstd as WebAssembly makes the same bytes as the addon, and reads what that made', t => {
  const native = addon(t)
  if (!native) {
    t.end()
    return
  }
  for (const source of SOURCES) {
    for (const level of [1, 3, 9]) {
      const [ours, theirs] = [wasm, native].map(zstd => {
        const target = Buffer.alloc(zstd.compressBound(source.length))
        return target.subarray(0, withChecksums(zstd, level).compress2(target, source))
      })
      t.ok(ours?.equals(theirs ?? Buffer.alloc(0)), `${source.length} bytes at level ${level}`)
      const streamed = [wasm, native].map(zstd => inPieces(withChecksums(zstd, level), source, 70_000))
      t.ok(streamed[0]?.equals(streamed[1] ?? Buffer.alloc(0)), 'in pieces, too')
      const frames = Buffer.concat([ours ?? Buffer.alloc(0), ...streamed])
      const { bytes, isWhole } = decoded(new wasm.DCtx(), frames, 64 * 1024)
      t.ok(isWhole && bytes.equals(Buffer.concat([source, source, source])), 'frames behind each other are read')
    }
  }
  t.end()
})

t.test('zstd as WebAssembly says where a frame ends, what is torn, and what is none', t => {
  const target = Buffer.alloc(wasm.compressBound(lines.length))
  const compressor = withChecksums(wasm, 1)
  const frame = Buffer.from(target.subarray(0, compressor.compress2(target, lines)))
  const output = Buffer.alloc(2_000_000)
  const [remaining, produced, taken] = new wasm.DCtx().decompressStream(output, Buffer.concat([frame, frame]))
  t.strictSame([remaining, produced, taken], [0, lines.length, frame.length], 'up to the end of the first one')
  t.equal(decoded(new wasm.DCtx(), frame.subarray(0, -1), 100_000).isWhole, false)
  const flipped = Buffer.from(frame)
  flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1
  t.throws(() => decoded(new wasm.DCtx(), flipped, 100_000), /doesn't match checksum/)
  t.throws(() => decoded(new wasm.DCtx(), Buffer.from('no zstd at all'), 100_000), /Unknown frame descriptor/)
  t.throws(() => compressor.compress2(Buffer.alloc(10), lines), /Destination buffer is too small/)
  t.end()
})

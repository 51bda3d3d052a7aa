import { closeSync, createReadStream, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { createDeflateRaw } from 'node:zlib'
import { EdgeError } from '../../platform/edge-error.js'
import { writeFully } from '../../platform/durable-file.js'

/** A zip without 64-bit sizes holds no more. */
const BYTES_MAX = 0xffff_fff0

/** The head of an .npy file of so many rows of a type, as numpy spells it. */
export function npyHead(descr: string, rows: number): Buffer {
  const text = `{'descr': ${descr}, 'fortran_order': False, 'shape': (${rows},), }`
  const head = Buffer.alloc(Math.ceil((text.length + 11) / 64) * 64, ' ')
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(head.length - 10, 8)
  head.write(text, 10, 'latin1')
  head[head.length - 1] = 0x0a
  return head
}

/**
 * Packs rows that stand in a file of their own as `data.npy` in an .npz, as np.savez_compressed does. The same rows make
 * the same bytes.
 * @throws EdgeError EXPORT_TOO_LARGE
 */
export async function writeNpz(path: string, rowsFile: string, descr: string, rows: number): Promise<void> {
  const head = npyHead(descr, rows)
  const bytes = head.length + statSync(rowsFile).size
  if (bytes > BYTES_MAX)
    throw new EdgeError('EXPORT_TOO_LARGE', `found ${rows} events in one file, wanted at most ${BYTES_MAX / 64}`, {
      path,
      hint: 'export shorter spans, with --from and --to',
    })
  const fd = openSync(path, 'w')
  try {
    const name = Buffer.from('data.npy')
    writeFully(fd, localHeader(name, 0, 0, 0))
    let crc = 0
    let packed = 0
    async function* npy() {
      crc = crc32(head, crc)
      yield head
      for await (const piece of createReadStream(rowsFile, { highWaterMark: 1024 * 1024 })) {
        crc = crc32(piece as Buffer, crc)
        yield piece as Buffer
      }
    }
    // What the disk does not take ends all of it.
    await pipeline(npy, createDeflateRaw(), async pieces => {
      for await (const piece of pieces) {
        packed += (piece as Buffer).length
        writeFully(fd, piece as Buffer)
      }
    })
    writeFully(fd, directory(name, crc, packed, bytes))
    writeSync(fd, localHeader(name, crc, packed, bytes), 0, undefined, 0)
  } finally {
    closeSync(fd)
    rmSync(rowsFile, { force: true })
  }
}

/** The first of January 1980, the earliest that a zip can say: no file differs by when it was made. */
const DOS_DATE = 0x21
const DEFLATED = 8

function localHeader(name: Buffer, crc: number, packed: number, bytes: number): Buffer {
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  entry(header, 4, crc, packed, bytes, name.length)
  return Buffer.concat([header, name])
}

function entry(header: Buffer, at: number, crc: number, packed: number, bytes: number, nameLength: number): void {
  header.writeUInt16LE(20, at)
  header.writeUInt16LE(DEFLATED, at + 4)
  header.writeUInt16LE(DOS_DATE, at + 8)
  header.writeUInt32LE(crc, at + 10)
  header.writeUInt32LE(packed, at + 14)
  header.writeUInt32LE(bytes, at + 18)
  header.writeUInt16LE(nameLength, at + 22)
}

function directory(name: Buffer, crc: number, packed: number, bytes: number): Buffer {
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(20, 4)
  entry(header, 6, crc, packed, bytes, name.length)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(header.length + name.length, 12)
  end.writeUInt32LE(30 + name.length + packed, 16)
  return Buffer.concat([header, name, end])
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The checksum of a zip; zlib has it from Node 20.15 on only. */
function crc32(bytes: Buffer, before: number): number {
  let crc = ~before
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0)
  return ~crc >>> 0
}

/** Rows of 64 bytes, read again in blocks. */
export function* rowBlocks(path: string, rowBytes: number): Generator<Buffer, void> {
  const fd = openSync(path, 'r')
  try {
    const block = Buffer.alloc(16_384 * rowBytes)
    for (let at = 0; ;) {
      const length = readSync(fd, block, 0, block.length, at)
      if (length === 0) return
      yield block.subarray(0, length)
      at += length
    }
  } finally {
    closeSync(fd)
  }
}

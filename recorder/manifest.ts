import { z } from 'zod'
import { EdgeError } from '../platform/edge-error.js'
import { SEGMENT_FORMAT_VERSION } from './segment-format.js'

const gap = z.object({
  /** Span in which frames are missing or may be, µs since the epoch. */
  from_us: z.int(),
  to_us: z.int(),
  conn: z.string(),
  cause: z.string(),
})

const manifestSchema = z.object({
  format_version: z.int(),
  /** Version of edgetape that sealed it. */
  edgetape: z.string(),
  exchange: z.string(),
  channel: z.string(),
  host: z.string(),
  run: z.string(),
  number: z.int(),
  /** Lines in the segment. */
  frames: z.int(),
  bytes_raw: z.int(),
  bytes_compressed: z.int(),
  /** Of the sealed file, hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  first_recv_us: z.int(),
  last_recv_us: z.int(),
  /** Per connection: how many frames, and the first and last `seq`. */
  connections: z.record(z.string(), z.object({ frames: z.int(), first_seq: z.int(), last_seq: z.int() })),
  gaps: z.array(gap),
  /** Only on a segment that a crash left open: what could not be kept. */
  recovered: z.object({ torn_bytes: z.int(), cut_lines: z.int() }).optional(),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestGap = z.infer<typeof gap>

/**
 * Reads a manifest's text.
 * @throws EdgeError MANIFEST_INVALID not a manifest; MANIFEST_TOO_NEW written by a later format
 */
export function parseManifest(text: string, path: string): Manifest {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new EdgeError('MANIFEST_INVALID', `${path} is not JSON`, { path, cause })
  }
  const result = manifestSchema.safeParse(value)
  if (!result.success) {
    const first = result.error.issues[0]
    throw new EdgeError(
      'MANIFEST_INVALID',
      `${path}: ${first?.path.join('.') ?? ''}: ${first?.message ?? 'not a manifest'}`,
      { path },
    )
  }
  if (result.data.format_version > SEGMENT_FORMAT_VERSION) {
    throw new EdgeError(
      'MANIFEST_TOO_NEW',
      `${path} has format version ${result.data.format_version}, this edgetape reads up to ${SEGMENT_FORMAT_VERSION}`,
      { path, hint: 'use a newer edgetape to read this folder' },
    )
  }
  return result.data
}

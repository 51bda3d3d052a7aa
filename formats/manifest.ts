import type { z } from 'zod'
import { lateSchema, type Zod } from '../platform/late-schema.js'
import { EdgeError } from '../platform/edge-error.js'

/** Raised when a reader of the version before could misread what is written now. */
export const SEGMENT_FORMAT_VERSION = 1

const gapBy = (z: Zod) =>
  z.object({
    /** Span in which frames are missing or may be, µs since the epoch. */
    from_us: z.int(),
    to_us: z.int(),
    conn: z.string(),
    cause: z.string(),
    /** The other connections that were to bring the same, and did not. */
    also: z.array(z.string()).optional(),
  })

const manifestSchema = lateSchema(z =>
  z.object({
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
    /** The same for those who compare with rsync, which computes it at the target; 0.1.0 had none at first. */
    md5: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional(),
    first_recv_us: z.int(),
    last_recv_us: z.int(),
    /** Per connection: how many frames, and the first and last `seq`. */
    connections: z.record(z.string(), z.object({ frames: z.int(), first_seq: z.int(), last_seq: z.int() })),
    gaps: z.array(gapBy(z)),
    /** Only on a segment that a crash left open: what could not be kept. */
    recovered: z.object({ torn_bytes: z.int(), cut_lines: z.int() }).optional(),
  }),
)

export type Manifest = z.infer<ReturnType<typeof manifestSchema>>
export type ManifestGap = z.infer<ReturnType<typeof gapBy>>

/** All that is certain of a manifest of any version, past or future. */
const versioned = lateSchema(z => z.object({ format_version: z.int() }))

/**
 * Reads a manifest's text. The version is looked at first: a later format may have changed everything else.
 * @throws EdgeError MANIFEST_INVALID not a manifest; MANIFEST_TOO_NEW written by a later format
 */
export function parseManifest(text: string, path: string): Manifest {
  const value = jsonOf(text, path)
  const version = versioned().safeParse(value).data?.format_version ?? 0
  if (version > SEGMENT_FORMAT_VERSION) {
    throw new EdgeError(
      'MANIFEST_TOO_NEW',
      `${path} has format version ${version}, wanted at most ${SEGMENT_FORMAT_VERSION}`,
      { path, hint: 'a newer edgetape wrote it: upgrade this one to read it; the file is left as it is' },
    )
  }
  const result = manifestSchema().safeParse(value)
  if (result.success) return result.data
  const first = result.error.issues[0]
  throw new EdgeError(
    'MANIFEST_INVALID',
    `${path}: ${first?.path.join('.') ?? ''}: ${first?.message ?? 'not a manifest'}`,
    { path },
  )
}

function jsonOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EdgeError('MANIFEST_INVALID', `${path} is not JSON`, { path, cause })
  }
}

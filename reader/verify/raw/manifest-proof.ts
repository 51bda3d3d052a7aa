import type { Manifest } from '../../../formats/manifest.js'
import type { SegmentName } from '../../../formats/raw-path.js'

/** What a segment's file really holds. */
export interface SegmentTruth {
  /** Of the file; undefined for an open one. */
  sha256: string | undefined
  bytes: number
  /** False where it could be decoded in part only: what it holds is then not known. */
  isReadable: boolean
  frames: number
  bytesRaw: number
  firstRecvUs: number
  lastRecvUs: number
  /** Receive time of the first line. */
  firstLineUs: number | undefined
  connections: Manifest['connections']
}

/** A value of the manifest, and what the file says. */
type Claim = [key: string, said: string | number | undefined, found: string | number | undefined]

/** Holds a manifest against its file and its name; one complaint for each value that is not true. Pure. */
export function manifestFaults(
  manifest: Manifest,
  name: SegmentName,
  truth: SegmentTruth,
): { code: string; message: string }[] {
  const wanted: Claim[] = [
    ['sha256', manifest.sha256, truth.sha256],
    ['bytes_compressed', manifest.bytes_compressed, truth.bytes],
    ['exchange', manifest.exchange, name.exchange],
    ['channel', manifest.channel, name.channel],
    ['host', manifest.host, name.host],
    ['run', manifest.run, name.run],
    ['number', manifest.number, name.number],
  ]
  if (truth.isReadable) wanted.push(...contents(manifest, truth))
  const faults = wanted
    .filter(([, said, found]) => said !== found)
    .map(([key, said, found]) => ({
      code: 'MANIFEST_UNTRUE',
      message: `${key} is ${said ?? 'not there'}, but the segment says ${found ?? 'nothing of it'}`,
    }))
  for (const { from_us, to_us, conn } of manifest.gaps) {
    if (from_us > to_us) faults.push({ code: 'MANIFEST_GAP', message: `a gap of ${conn} ends before it begins` })
  }
  return faults
}

function contents(manifest: Manifest, truth: SegmentTruth): Claim[] {
  const claims: Claim[] = [
    ['frames', manifest.frames, truth.frames],
    ['bytes_raw', manifest.bytes_raw, truth.bytesRaw],
    ['first_recv_us', manifest.first_recv_us, truth.firstRecvUs],
    ['last_recv_us', manifest.last_recv_us, truth.lastRecvUs],
  ]
  const conns = new Set([...Object.keys(manifest.connections), ...Object.keys(truth.connections)])
  for (const conn of conns) {
    const [said, found] = [manifest.connections[conn], truth.connections[conn]]
    for (const key of ['frames', 'first_seq', 'last_seq'] as const)
      claims.push([`connections.${conn}.${key}`, said?.[key], found?.[key]])
  }
  return claims
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSegment } from '../../../formats/decode-segment.js'
import { isListWhole } from '../../../formats/finished-list.js'
import { parseManifest } from '../../../formats/manifest.js'
import { withState } from '../../../formats/raw-path.js'
import { EdgeError } from '../../../platform/edge-error.js'
import type { LocalFile } from '../../../syncer/local-tree.js'
import { sha256OnMedium } from '../../../syncer/targets/medium.js'
import { judge, type Claim, type Claims } from './claims.js'

/** What is wrong with a file, or with what is written of it. */
export interface Rot {
  file: LocalFile
  /** rotten, missing: the file itself. ledger, receipt: what these say of it. */
  what: 'rotten' | 'missing' | 'ledger' | 'receipt'
  /** As it is. */
  sha256: string
  /** As it was to be, by all who say so. */
  claims: readonly Claim[]
  message: string
}

export interface FileProof {
  isKnown: boolean
  rot: Rot[]
}

/** Reads a file from its medium, past this machine's memory, and holds it against all that is written of it. */
export async function proveFile(
  root: string,
  file: LocalFile,
  claims: Claims,
  signal: AbortSignal,
): Promise<FileProof> {
  const beat = () => signal.throwIfAborted()
  const sha256 = await sha256OnMedium(join(root, file.path), file.bytes, beat)
  const said = claims.of(file)
  const { verdict, untrue } = judge(sha256, said)
  const rot = (of: LocalFile, message: string, own: readonly Claim[] = said): Rot => ({
    ...{ file: of, what: 'rotten', sha256, claims: own, message },
  })
  if (verdict === 'rotten') {
    const others = said.filter(({ by }) => by !== 'manifest')
    // The checksum within says that it is whole: then it is the manifest that rotted.
    if (file.kind === 'segment' && others.length === 0 && isWholeSegment(join(root, file.path)))
      return { isKnown: true, rot: [ofClaimant(rot, file, said)] }
    return { isKnown: true, rot: [rot(file, `it is not what its ${sayers(said)} says`)] }
  }
  const untrueClaims = untrue.map(claim => {
    if (claim.path !== undefined) return ofClaimant(rot, file, [claim])
    return { ...rot(file, `what the ${claim.by} says of it is not true`), what: claim.by as 'ledger' | 'receipt' }
  })
  const own = why(root, file)
  if (own !== undefined) return { isKnown: true, rot: [rot(file, own), ...untrueClaims] }
  return { isKnown: verdict === 'right' || file.kind === 'manifest' || file.kind === 'lists', rot: untrueClaims }
}

/** What is written of a file is in a file that rotted itself. */
function ofClaimant(
  rot: (of: LocalFile, message: string, own?: readonly Claim[]) => Rot,
  file: LocalFile,
  [claim]: readonly Claim[],
): Rot {
  const path = claim?.path ?? withState(file.path, 'manifest')
  const kind = claim?.by === 'list' ? 'lists' : 'manifest'
  return rot({ ...file, kind, path }, `what it says of ${file.path} is not true`, [])
}

const sayers = (claims: readonly Claim[]) => claims.map(({ by }) => by).join(' and its ')

/** Why a file cannot be what it was made as, by itself. */
function why(root: string, { kind, path }: LocalFile): string | undefined {
  if (kind === 'lists') return isListWhole(root, path) ? undefined : 'it is not whole'
  if (kind !== 'manifest') return undefined
  try {
    parseManifest(readFileSync(join(root, path), 'utf8'), path)
    return undefined
  } catch (error) {
    if (!(error instanceof EdgeError) || error.code === 'MANIFEST_TOO_NEW') {
      if (error instanceof EdgeError) return undefined
      throw error
    }
    return error.message
  }
}

/** By the checksum in its zstd frame. */
function isWholeSegment(file: string): boolean {
  const chunks = decodeSegment(file)
  for (let next = chunks.next(); ; next = chunks.next()) if (next.done) return next.value.fault === undefined
}

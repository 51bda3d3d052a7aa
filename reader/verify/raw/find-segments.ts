import { existsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { EdgeError } from '../../../platform/edge-error.js'
import { parseSegmentPath, withState, type SegmentName } from '../../../formats/raw-path.js'
import { rawFiles } from '../../../formats/raw-tree.js'
import { treePlaceOf } from '../../../formats/tree-place.js'

/** A segment on disk, sealed or open. */
export interface SegmentFile {
  /** Below the root, with forward slashes. */
  path: string
  name: SegmentName
  isOpen: boolean
  /** When it was listed; an open one is read up to here. */
  bytes: number
}

export interface RawTree {
  segments: SegmentFile[]
  /** Manifests without a segment. */
  lonelyManifests: string[]
  /** Names under `raw/` that are none of ours. */
  strangers: string[]
}

/** Where to look: `root` holds `raw/`, and `below` is the folder or file under it that was asked for. */
export interface RawPlace {
  root: string
  /** `raw` for everything. */
  below: string
}

/**
 * Finds the tree that a path belongs to: a dataDir, its copy, a folder of it or one segment or manifest.
 * @throws EdgeError VERIFY_NO_PATH, VERIFY_NO_RAW
 */
export function rawPlaceOf(path: string): RawPlace {
  const full = resolve(path)
  const facts = { path, hint: 'name a dataDir, its copy on the NAS, or a folder or file below its raw/' }
  if (!existsSync(full)) throw new EdgeError('VERIFY_NO_PATH', `no file or folder ${path}`, facts)
  const { root = '', below = 'raw' } = treePlaceOf(full) ?? {}
  if (!/^raw(?:\/|$)/.test(below) || !existsSync(join(root, 'raw')))
    throw new EdgeError('VERIFY_NO_RAW', `found no raw/ in or above ${path}`, facts)
  return { root, below: statSync(full).isFile() ? segmentOf(full, below) : below }
}

/** The segment that a manifest speaks of, which may be open still. */
function segmentOf(full: string, below: string): string {
  if (parseSegmentPath(below)?.state !== 'manifest') return below
  return withState(below, existsSync(withState(full, 'sealed')) ? 'sealed' : 'open')
}

/** Lists what is there, the oldest segment first; sizes of open ones are taken last and together. */
export function listRaw({ root, below }: RawPlace): RawTree {
  const tree: RawTree = { segments: [], lonelyManifests: [], strangers: [] }
  const manifests: string[] = []
  const onStranger = (path: string) => tree.strangers.push(path)
  for (const { path, name, state } of rawFiles(root, { below, onStranger })) {
    if (state === 'manifest') manifests.push(path)
    else if (state !== 'rewriting') tree.segments.push({ path, name, isOpen: state === 'open', bytes: 0 })
  }
  const here = new Set(tree.segments.map(({ path }) => withState(path, 'manifest')))
  tree.lonelyManifests = manifests.filter(path => !here.has(path))
  for (const isOpen of [false, true]) {
    for (const segment of tree.segments) if (segment.isOpen === isOpen) segment.bytes = sizeOf(join(root, segment.path))
  }
  return tree
}

/** A file that retention takes away meanwhile has no bytes. */
function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

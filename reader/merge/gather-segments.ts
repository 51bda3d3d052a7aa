import type { Span } from '../../platform/spans.js'
import { rmSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { sha256Of } from '../../platform/sha256.js'
import { createFolderDurable, fsyncFolder } from '../../platform/durable-file.js'
import { EdgeError } from '../../platform/edge-error.js'
import { manifestOf, placeOf, segmentFiles } from '../../formats/segment-files.js'
import { withState } from '../../formats/raw-path.js'
import { linkOrCopy } from './link-or-copy.js'

export interface Gathered {
  /** Segments that came to the target in this run. */
  segments: number
  bytes: number
  /** Segments that were there already. */
  known: number
  /** Open ones, which come when they are sealed. */
  open: number
  /** What could not be taken, and why; the others were. */
  faults: EdgeError[]
}

/**
 * Brings the sealed segments of several trees into one, as links where the file system allows it, else as verified
 * copies. Sources are only read. What is there already stays as it is, so that this can be done each day again.
 * Faults are MERGE_DIFFERS (two segments of one name), MERGE_DAMAGED and MANIFEST_TOO_NEW.
 * @throws EdgeError MERGE_SAME_FOLDER, READ_NO_RAW
 */
export async function gatherSegments(
  sources: readonly string[],
  target: string,
  span: Span,
  onSegment: (looked: number, all: number) => void = () => undefined,
): Promise<Gathered> {
  const roots = sources.map(source => placeOf(source).root)
  for (const root of roots) refuseNested(root, resolve(target))
  const gathered: Gathered = { segments: 0, bytes: 0, known: 0, open: 0, faults: [] }
  const choice = { ...span, mayHold: () => true }
  // By their names alone, so that whoever waits knows how long.
  const all = sources.reduce((sum, source) => sum + lengthOf(segmentFiles(source, choice)), 0)
  let looked = 0
  for (const source of sources) {
    const { root } = placeOf(source)
    for (const { path, state } of segmentFiles(source, choice)) {
      try {
        if (state === 'open') gathered.open++
        else await take(path, join(target, relative(root, path)), gathered)
      } catch (error) {
        if (!(error instanceof EdgeError)) throw error
        gathered.faults.push(error)
      }
      onSegment(++looked, all)
    }
  }
  return gathered
}

/** Of what is never in memory as a whole. */
function lengthOf(items: Iterator<unknown>): number {
  let length = 0
  while (items.next().done !== true) length++
  return length
}

function refuseNested(root: string, target: string): void {
  if (target !== root && !target.startsWith(root + sep) && !root.startsWith(target + sep)) return
  throw new EdgeError('MERGE_SAME_FOLDER', `${target} and the source ${root} lie in each other`, {
    path: target,
    hint: 'give --out a folder outside the sources, which stay as they are',
  })
}

async function take(from: string, to: string, gathered: Gathered): Promise<void> {
  const manifest = manifestOf(from)
  if (!manifest) {
    gathered.open++
    return
  }
  const there = manifestOf(to)
  if (there) {
    if (there.sha256 !== manifest.sha256) {
      throw new EdgeError('MERGE_DIFFERS', `${from} and ${to} have one name and different content`, {
        path: from,
        hint: 'two recorders with one host name? Give each its own in the config (host), and merge into a new folder',
      })
    }
    gathered.known++
    return
  }
  if (statSync(from).size !== manifest.bytes_compressed) throw damaged(from, 'its size')
  createFolderDurable(dirname(to))
  rmSync(to, { force: true })
  await linkOrCopy(from, to, async copy => {
    if ((await sha256Of(copy)) !== manifest.sha256) throw damaged(from, 'its sha256')
  })
  await linkOrCopy(withState(from, 'manifest'), withState(to, 'manifest'))
  fsyncFolder(dirname(to))
  gathered.segments++
  gathered.bytes += manifest.bytes_compressed
}

function damaged(path: string, what: string): EdgeError {
  return new EdgeError('MERGE_DAMAGED', `${path}: ${what} is not that of its manifest`, {
    path,
    hint: 'edgetape verify raw says what is wrong; a copy elsewhere may be whole',
  })
}

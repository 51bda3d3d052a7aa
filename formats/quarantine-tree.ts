/** `quarantine/`: lines that could not be converted, by family and date of their segment. One walk over it. */
import { basename } from 'node:path'
import { isOnTheWay, listFolder, partitionFolders, type FolderQuery, type Level } from './partition-folders.js'
import { segmentDate, type SegmentName } from './raw-path.js'

const LEVELS: readonly Level[] = [{ key: 'exchange' }, { key: 'channel' }, { key: 'date' }]
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,150}\.jsonl$/

export interface QuarantineQuery extends Pick<FolderQuery, 'below'> {
  /** Of folders, both included. */
  dates?: { first: string; last: string } | undefined
}

/** Paths below the root, with forward slashes; sorted. */
export function* quarantineFiles(root: string, { below, dates }: QuarantineQuery = {}): Generator<string, void> {
  const accept = (key: string, value: string) =>
    key !== 'date' || !dates || (value >= dates.first && value <= dates.last)
  for (const { path } of partitionFolders(root, { path: 'quarantine', values: {} }, LEVELS, { accept, below })) {
    for (const file of listFolder(root, path).files)
      if (NAME.test(file) && isOnTheWay(`${path}/${file}`, below)) yield `${path}/${file}`
  }
}

/** Where lines of a segment go, below dataDir. */
export function quarantinePath(segment: string, name: SegmentName): string {
  const base = basename(segment, '.jsonl.zst')
  return `quarantine/exchange=${name.exchange}/channel=${name.channel}/date=${segmentDate(name)}/${base}.jsonl`
}

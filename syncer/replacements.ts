import { basename, dirname } from 'node:path'
import type { Parcel } from './hand-over.js'

/** Files of one folder that take the place of others in it. */
export interface InPlace {
  parcels: Parcel[]
  /** Names in that folder. */
  gone: string[]
}

/** Tells files that go by themselves from those that replace others, and puts these together by folder. Pure. */
export function sortParcels(parcels: readonly Parcel[]): { plain: Parcel[]; replacing: InPlace[] } {
  const plain: Parcel[] = []
  const byFolder = new Map<string, InPlace>()
  const replacers = new Map<Parcel['visit'], ReadonlyMap<string, string[]>>()
  for (const parcel of parcels) {
    const { visit, file } = parcel
    const goneBy = replacers.get(visit) ?? goneByReplacer(visit)
    replacers.set(visit, goneBy)
    const gone = goneBy.get(file.path)
    if (!gone) {
      plain.push(parcel)
      continue
    }
    const folder = dirname(file.path)
    const inPlace = byFolder.get(folder) ?? { parcels: [], gone: [] }
    inPlace.parcels.push(parcel)
    inPlace.gone = [...new Set([...inPlace.gone, ...gone])]
    byFolder.set(folder, inPlace)
  }
  return { plain, replacing: [...byFolder.values()] }
}

/** Replacing file → names beside it that it replaces. What lies in another folder is none of its business. */
function goneByReplacer({ superseded, local }: Parcel['visit']): ReadonlyMap<string, string[]> {
  const goneBy = new Map<string, string[]>()
  const present = new Set(local.files.map(({ path }) => path))
  for (const [path, by] of superseded) {
    if (present.has(path)) continue
    for (const replacer of by) {
      if (dirname(replacer) === dirname(path)) goneBy.set(replacer, [...(goneBy.get(replacer) ?? []), basename(path)])
    }
  }
  return goneBy
}

import { basename, dirname } from 'node:path'
import type { UploadItem } from './upload.js'

/** Files of one folder that take the place of others in it. */
export interface InPlace {
  items: UploadItem[]
  /** Names in that folder, with what we made and brought under them. */
  gone: Map<string, ReadonlySet<string>>
}

/** Separates files that go by themselves from those that replace others, and groups these by folder. Pure. */
export function sortItems(items: readonly UploadItem[]): { plain: UploadItem[]; replacing: InPlace[] } {
  const plain: UploadItem[] = []
  const byFolder = new Map<string, InPlace>()
  const replacers = new Map<UploadItem['datePass'], ReadonlyMap<string, Gone>>()
  for (const item of items) {
    const { datePass, file } = item
    const goneBy = replacers.get(datePass) ?? goneByReplacer(datePass)
    replacers.set(datePass, goneBy)
    const gone = goneBy.get(file.path)
    if (!gone) {
      plain.push(item)
      continue
    }
    const folder = dirname(file.path)
    const inPlace: InPlace = byFolder.get(folder) ?? { items: [], gone: new Map() }
    inPlace.items.push(item)
    for (const [name, contents] of gone) inPlace.gone.set(name, contents)
    byFolder.set(folder, inPlace)
  }
  return { plain, replacing: [...byFolder.values()] }
}

type Gone = Map<string, ReadonlySet<string>>

/** Replacing file → names beside it that it replaces. What lies in another folder is none of its business. */
function goneByReplacer(datePass: UploadItem['datePass']): ReadonlyMap<string, Gone> {
  const { replaced, local } = datePass
  const goneBy = new Map<string, Gone>()
  const present = new Set(local.files.map(({ path }) => path))
  for (const [path, by] of replaced) {
    if (present.has(path)) continue
    for (const replacer of by) {
      if (dirname(replacer) !== dirname(path)) continue
      const gone = goneBy.get(replacer) ?? new Map<string, ReadonlySet<string>>()
      goneBy.set(replacer, gone.set(basename(path), contentsOf(path, datePass)))
    }
  }
  return goneBy
}

/** The sha256 of all that ever had this path here, as far as anything says. */
function contentsOf(path: string, { ledger, receipts }: UploadItem['datePass']): ReadonlySet<string> {
  const brought = ledger.get(path)?.sha256
  return new Set([...(receipts().made.get(path) ?? []), ...(brought === undefined ? [] : [brought])])
}

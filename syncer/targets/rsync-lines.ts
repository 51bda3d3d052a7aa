import type { Verdict } from './target.js'

/** One line of `--out-format=%i|%l|%C|%n` about a regular file. */
export interface RsyncItem {
  /** rsync's itemisation, e.g. `.f         ` or `<fc........`. */
  change: string
  bytes: number
  /** Of the file here, hex; empty where rsync did not compute one. */
  md5: string
  path: string
}

const ITEM = /^([<>ch.*][fdLDS][^|]{0,12})\|(\d+)\|\s*([0-9a-f]*)\s*\|(.+)$/

/** Reads one line of output; undefined for folders, progress and chatter. */
export function parseItem(line: string): RsyncItem | undefined {
  const match = ITEM.exec(line)
  if (match?.[1]?.[1] !== 'f') return undefined
  const [, change = '', bytes, md5 = '', path = ''] = match
  return { change, bytes: Number(bytes), md5, path }
}

/** True where rsync found nothing to transfer: neither content nor size differ (time and permissions may). */
function isUntouched({ change }: Pick<RsyncItem, 'change'>): boolean {
  return /^\.f[ .][ .]/.test(change)
}

/** True where rsync had the content of the file to send, there being nothing that it was to leave as it is. */
export function isSent({ change }: Pick<RsyncItem, 'change'>): boolean {
  return /^[<>]f/.test(change)
}

/**
 * What a line of the verify pass says. `same` needs it all: nothing to transfer, and size and md5 of what rsync compared
 * are those that we know. Undefined where the file here is no longer what we know, so that nothing was learnt.
 */
export function verdictOf(item: RsyncItem, expected: { bytes: number; md5: string }): Verdict | undefined {
  if (item.bytes !== expected.bytes || item.md5 !== expected.md5) return undefined
  if (isUntouched(item)) return 'same'
  return item.change.includes('+++') ? 'missing' : 'wrong'
}

import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasErrno } from '../../platform/edge-error.js'
import type { EarlierSegment } from '../../exchanges/adapter.js'
import { parseSegmentPath, withState } from '../../formats/raw-path.js'
import { decodeSegment } from './decode-segment.js'

const LINE_FEED = 0x0a

export interface EarlierQuery {
  dataDir: string
  exchange: string
  host: string
  family: string
  /** This run's segments do not count. */
  exceptRun: string
}

/**
 * The segments that earlier runs of this recorder left of a family, newest first, sealed or not. Folders are listed only
 * as far as the caller reads.
 */
export function* earlierSegments({
  dataDir,
  exchange,
  host,
  family,
  exceptRun,
}: EarlierQuery): Generator<EarlierSegment> {
  const groups = groupFolders(dataDir, `raw/exchange=${exchange}/channel=${family}`)
  for (const hour of hoursDescending(dataDir, groups)) {
    const segments = groups
      .flatMap(group => namesIn(join(dataDir, group, hour)).map(name => `${group}/${hour}/${name}`))
      .flatMap(path => {
        const parsed = parseSegmentPath(path)
        const isOurs = parsed?.name.host === host && parsed.name.run !== exceptRun
        return isOurs && (parsed.state === 'sealed' || parsed.state === 'open') ? [{ path, ...parsed.name }] : []
      })
      .sort((one, other) => other.startedMs - one.startedMs || other.number - one.number)
    for (const { path } of segments) {
      const found = [path, withState(path, 'sealed')].find(name => existsSync(join(dataDir, name)))
      if (found === undefined) continue
      yield { bytes: statSync(join(dataDir, found)).size, lines: linesOf(join(dataDir, found)) }
    }
  }
}

/** The folder of a family, and those of its groups by kind and currency. */
function groupFolders(dataDir: string, folder: string): string[] {
  const inner = namesIn(join(dataDir, folder)).filter(name => name.startsWith('kind=') || name.startsWith('currency='))
  return [folder, ...inner.flatMap(name => groupFolders(dataDir, `${folder}/${name}`))]
}

/** `date=…/hour=…` of all groups, each once, newest first. */
function* hoursDescending(dataDir: string, groups: readonly string[]): Generator<string> {
  const dates = namesOfAll(groups.map(group => join(dataDir, group))).filter(name => name.startsWith('date='))
  for (const date of dates) {
    const hours = namesOfAll(groups.map(group => join(dataDir, group, date))).filter(name => name.startsWith('hour='))
    for (const hour of hours) yield `${date}/${hour}`
  }
}

const namesOfAll = (folders: readonly string[]) => [...new Set(folders.flatMap(namesIn))].sort().reverse()

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** Every whole line up to the first byte that cannot be decoded, without its line feed. */
function* linesOf(path: string): Generator<Buffer[]> {
  let tail: Buffer = Buffer.alloc(0)
  for (const { bytes } of decodeSegment(path)) {
    const text = tail.length === 0 ? Buffer.from(bytes) : Buffer.concat([tail, bytes])
    const lines: Buffer[] = []
    let from = 0
    for (let at = text.indexOf(LINE_FEED); at >= 0; at = text.indexOf(LINE_FEED, from)) {
      lines.push(text.subarray(from, at))
      from = at + 1
    }
    tail = text.subarray(from)
    yield lines
  }
}

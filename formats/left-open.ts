import { rawFiles } from './raw-tree.js'
import { SLACK_US } from './segment-span.js'
import { parseRecorderName } from './recorder-name.js'
import { isLockHeld } from '../platform/lock-state.js'
import { recorderState } from './recorder-state.js'

/** What one recorder has open in a dataDir, or left open. */
export interface OpenOf {
  exchange: string
  /** Without the identity: that is the dataDir's. */
  host: string
  /** Segments, as paths below `dataDir`, oldest name first. */
  open: string[]
  /** Files of seals that were cut off: never anything but a copy in the making. */
  rewriting: string[]
}

/**
 * Everything that is open in a dataDir, by recorder.
 * @param fromMs begin of the first hour that is looked at
 */
export function openByRecorder(dataDir: string, fromMs = -Infinity): OpenOf[] {
  const found = new Map<string, OpenOf>()
  for (const { path, name, state } of rawFiles(dataDir, {
    fromUs: fromMs * 1000 + SLACK_US,
    states: ['open', 'rewriting'],
  })) {
    if (state !== 'open' && state !== 'rewriting') continue
    const { exchange } = name
    const { host } = parseRecorderName(name.host)
    const key = `${exchange} ${host}`
    const of = found.get(key) ?? { exchange, host, open: [], rewriting: [] }
    of[state].push(path)
    found.set(key, of)
  }
  for (const { open } of found.values()) open.sort()
  return [...found.values()]
}

/** How many segments a recorder has open. */
export interface OpenCount extends Pick<OpenOf, 'exchange' | 'host'> {
  segments: number
}

/** The same of another recorder, and whether it lives, as the kernel's lock says. */
export interface OpenElsewhere extends OpenCount {
  isAlive: boolean
}

/** Those of `counts` that are not `own`, each asked for by its lock. */
export function openElsewhere(
  dataDir: string,
  own: { exchanges: readonly string[]; host: string | undefined },
  counts: readonly OpenCount[],
): OpenElsewhere[] {
  return counts
    .filter(({ exchange, host }) => !own.exchanges.includes(exchange) || host !== own.host)
    .map(of => ({ ...of, isAlive: isLockHeld(recorderState(dataDir, of.exchange, of.host, 'lock')) }))
}

import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { exchangeNamed } from '../../exchanges/registry.js'
import type { Exchange } from '../../exchanges/exchange.js'
import type { JournalEntry } from '../../formats/journal/entry.js'
import { inOrder } from '../../formats/journal/read.js'
import { lastEntries } from '../../formats/journal/runs.js'
import { listFolder } from '../../formats/partition-folders.js'
import { rawFiles, segmentsOf, type RawSegment } from '../../formats/raw-tree.js'
import { mayHoldLinesOf } from '../../formats/segment-span.js'
import { recorderState } from '../../formats/recorder-state.js'
import { knownManifest } from './known-manifest.js'
import { isLockHeld } from '../../platform/lock-state.js'
import { hasErrno } from '../../platform/edge-error.js'
import type { Span } from '../../platform/spans.js'
import type { AccountFacts, Sign } from './facts.js'
import { claimsOfSegments, journalledHosts } from './read-claims.js'
import { readJournal, type OnJournal } from './read-journal.js'
import { ARRIVES_WITHIN_US, findVanished } from './vanished.js'

const HOUR_US = 3_600_000_000
/** Segments that were begun this long before the last word of a run may hold later lines than it. */
const SEGMENT_US = HOUR_US

/** Names of the exchanges that anything was recorded of below a root, in their order. */
export function exchangesIn(root: string): string[] {
  const names = ['raw', 'parquet'].flatMap(top =>
    listFolder(root, top).folders.flatMap(folder => /^exchange=([A-Za-z0-9][\w.-]*)$/.exec(folder)?.[1] ?? []),
  )
  return [...new Set(names)].sort()
}

/** An exchange as its folder names it: a described feed's has a name of its own. */
export function namedExchange(name: string): Pick<Exchange, 'name' | 'families' | 'names'> {
  const { families, names } = exchangeNamed(name)
  return { name, families, names }
}

/**
 * What an account of a span is made of: the journal of the span, of the last hour before it in which anything was said,
 * and what was said of it within a day after; the names of its files. It costs what the span holds, not what the tree does.
 */
export async function readAccountFacts(
  root: string,
  exchange: string,
  span: Span,
  nowUs: number,
  onJournal?: OnJournal,
): Promise<AccountFacts> {
  const around = { fromUs: span.fromUs - SEGMENT_US, toUs: span.toUs + SEGMENT_US }
  const found = [...rawFiles(root, { exchange, ...around })]
  const files = segmentsOf(root, found)
  const manifests = found.filter(({ state, name }) => state === 'manifest' && mayHoldLinesOf(name, span))
  const entries = inOrder(await readJournal(root, exchange, span, onJournal))
  const signs = signsOf(root, entries, files)
  return {
    exchange: namedExchange(exchange),
    entries,
    signs,
    alive: aliveOf(root, exchange, entries, signs, nowUs),
    vanished: findVanished(
      root,
      exchange,
      span,
      { files, manifests },
      entries,
      namedExchange(exchange).names.familyOfChannel,
      nowUs,
    ),
    claims: claimsOfSegments(root, files, journalledHosts(entries)),
    nowUs,
  }
}

/** When each run that said no last word was last heard of: by the last line of its segments. */
function signsOf(root: string, entries: readonly JournalEntry[], files: readonly RawSegment[]): Sign[] {
  const stopped = new Set(entries.flatMap(({ event, run }) => (event === 'stopped' ? [run] : [])))
  const byRun = new Map<string, RawSegment[]>()
  for (const file of files) {
    const { run, startedMs } = file.name
    if (stopped.has(run)) continue
    const own = byRun.get(run) ?? []
    const newestMs = Math.max(startedMs, ...own.slice(-1).map(({ name }) => name.startedMs))
    const isLate = ({ name }: RawSegment) =>
      name.startedMs * 1000 > newestMs * 1000 - SEGMENT_US || mayHoldLinesOf(name, { fromUs: newestMs * 1000 })
    byRun.set(run, [...own.filter(isLate), file])
  }
  return [...byRun.values()].flatMap(own =>
    own.flatMap(({ path, name: { exchange, host, run, channel: family } }) => {
      const atUs = lastUsOf(join(root, path))
      return atUs === undefined ? [] : [{ exchange, host, run, family, atUs }]
    }),
  )
}

/** Of a sealed segment its last line; of one that is written to, when that was; undefined for one that is gone. */
function lastUsOf(path: string): number | undefined {
  const manifest = knownManifest(path)
  if (manifest) return manifest.frames > 0 ? manifest.last_recv_us : undefined
  try {
    return Math.floor(statSync(path).mtimeMs * 1000)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined
    throw error
  }
}

function aliveOf(
  root: string,
  exchange: string,
  entries: readonly JournalEntry[],
  signs: readonly Sign[],
  nowUs: number,
): Set<string> {
  const lastUs = new Map<string, number>()
  for (const { host, recvUs } of entries) lastUs.set(host, Math.max(lastUs.get(host) ?? 0, recvUs))
  for (const { host, atUs } of signs) lastUs.set(host, Math.max(lastUs.get(host) ?? 0, atUs))
  // A copy has no lock: there the last word decides, and without one the age of the last sign.
  const over = new Set(lastEntries(entries).flatMap(({ last, isStopped }) => (isStopped ? [last.host] : [])))
  for (const { host, atUs } of signs)
    if (entries.every(({ host: own, recvUs }) => own !== host || recvUs < atUs)) over.delete(host)
  const alive = [...lastUs].filter(([host, us]) => {
    const lock = recorderState(root, exchange, host, 'lock')
    return existsSync(lock) ? isLockHeld(lock) : !over.has(host) && nowUs - us <= ARRIVES_WITHIN_US
  })
  return new Set(alive.map(([host]) => host))
}

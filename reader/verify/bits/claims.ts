import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { finishedListsOf, readFinishedList } from '../../../formats/finished-list.js'
import { DateLedger, readAccount, syncerState } from '../../../formats/ledger.js'
import { parseManifest } from '../../../formats/manifest.js'
import { withState } from '../../../formats/raw-path.js'
import { EdgeError } from '../../../platform/edge-error.js'
import type { LocalFile } from '../../../syncer/local-tree.js'
import { isCurrent } from '../../../syncer/plan.js'
import { readReceipts } from '../../../syncer/receipts.js'

/** What somebody wrote down of a file's content. */
export interface Claim {
  by: 'manifest' | 'receipt' | 'list' | 'ledger'
  sha256: string
  /** Where it stands, if it is a file of the tree. */
  path?: string
}

/** A tree whose files are proven. */
export interface Tree {
  root: string
  /** The dataDir whose receipts and ledgers speak of it; undefined for a copy that is looked at by itself. */
  dataDir: string | undefined
}

/** What is known of the content of the files of one date in a tree. */
export class Claims {
  readonly #tree: Tree
  readonly #listed = new Map<string, Claim>()
  readonly #made: ReadonlyMap<string, { sha256: string; segments: readonly string[] }>
  readonly #ledger: DateLedger | undefined

  constructor(tree: Tree, date: string) {
    this.#tree = tree
    const { root, dataDir } = tree
    for (const list of finishedListsOf(root, date))
      for (const { path, sha256 } of readFinishedList(root, list) ?? [])
        this.#listed.set(path, { by: 'list', sha256, path: list })
    this.#made = dataDir === undefined ? new Map() : readReceipts(dataDir, date).byOutput
    const account = dataDir === undefined ? undefined : readAccount(syncerState(dataDir))
    if (dataDir !== undefined && account)
      this.#ledger = new DateLedger(join(syncerState(dataDir), account.ledger), date, true)
  }

  /** Of a manifest that is no manifest there is none; that is reported where it is proven itself. */
  of(file: LocalFile): Claim[] {
    const { path } = file
    const claims: Claim[] = []
    if (file.kind === 'segment') claims.push(...this.#ofManifest(withState(path, 'manifest')))
    const listed = this.#listed.get(path)
    if (listed) claims.push(listed)
    const made = this.#made.get(path)
    if (made) claims.push({ by: 'receipt', sha256: made.sha256 })
    const record = this.#ledger?.get(path)
    // Here a file may have been written anew since; a copy is what was brought.
    const isOfIt =
      record && (this.#tree.root === this.#tree.dataDir ? isCurrent(file, record) : record.state !== 'missing')
    if (isOfIt) claims.push({ by: 'ledger', sha256: record.sha256 })
    return claims
  }

  /** Segments that a Parquet file was made of. */
  segmentsOf(path: string): readonly string[] {
    return this.#made.get(path)?.segments ?? []
  }

  #ofManifest(path: string): Claim[] {
    if (!existsSync(join(this.#tree.root, path))) return []
    try {
      return [
        { by: 'manifest', path, sha256: parseManifest(readFileSync(join(this.#tree.root, path), 'utf8'), path).sha256 },
      ]
    } catch (error) {
      if (error instanceof EdgeError) return []
      throw error
    }
  }
}

export interface Judgement {
  /** unknown: nobody wrote down what it was. */
  verdict: 'right' | 'rotten' | 'unknown'
  /** Claims that are not true of a file that is right: then they rotted. */
  untrue: readonly Claim[]
}

/** One that says what is there is believed before one that says otherwise: two that agree by chance there are none. Pure. */
export function judge(sha256: string, claims: readonly Claim[]): Judgement {
  if (claims.length === 0) return { verdict: 'unknown', untrue: [] }
  const untrue = claims.filter(claim => claim.sha256 !== sha256)
  return untrue.length === claims.length ? { verdict: 'rotten', untrue: [] } : { verdict: 'right', untrue }
}

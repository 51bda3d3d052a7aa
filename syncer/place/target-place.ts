import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { isNear, type Clock } from '../../platform/clock.js'
import { birthOf } from '../../platform/data-identity.js'
import { EdgeError } from '../../platform/edge-error.js'
import { dateFolderOf, foldersIn, foldersOf, withThoseAbove } from '../local-tree.js'
import type { ExpectedFile, Target, Verdict, VerifyResult, Work } from '../targets/target.js'
import { MARK_PREFIX, markByHand, markOf, newMarkName, type Mark } from './mark.js'
import { readMemory, writeMemory, type PlaceMemory } from './memory.js'
import { findHere, mountsHere, notElsewhere, overlapOf } from './own-place.js'
import { sameBelow } from './same-below.js'
import { requireFoldersElsewhere, sameFolder, verifyElsewhere } from './tokens.js'

export interface TargetPlaceOptions {
  /** Real path. */
  dataDir: string
  target: Target
  clock: Pick<Clock, 'nowMs'>
  /** What was written there longer ago outlives a power cut. */
  graceMs: () => number
  /** For a target that version 0.1.0 used, which marked folders only: which one it took it for, and whether this is it. */
  earlier?: { identity: string; isHere: () => Promise<boolean> } | undefined
}

/**
 * Proves that what answers at the target's address is the place that was used before: an empty folder on which nothing is
 * mounted, another disk, an older state of the right one, and the dataDir itself are not taken for it.
 */
export class TargetPlace {
  readonly #options: TargetPlaceOptions
  #memory: PlaceMemory | undefined
  /** The number that the mark there had when it was last looked at. */
  #found: number | undefined
  #isSearched = false
  /** Folders there that were shown to be others than those here; of a folder here that is known by numbers, with each proof. */
  readonly #apart: Set<string> | undefined

  /** @throws EdgeError SYNC_PLACE_UNREADABLE */
  constructor(options: TargetPlaceOptions) {
    const memory = readMemory(options.dataDir, options.target.label)
    const isCopied = memory !== undefined && !isDeepStrictEqual(memory.birth, birthOf(options.dataDir))
    this.#options = isCopied ? { ...options, earlier: this.#ofTheOriginal(memory) } : options
    this.#memory = isCopied ? undefined : memory
    this.#apart = options.target.folder === undefined ? new Set() : undefined
  }

  /** True once a proof has succeeded. */
  get isProven(): boolean {
    return this.#found !== undefined
  }

  /**
   * Proves the place; on first use, marks it.
   * @returns which target it is
   * @throws EdgeError SYNC_TARGET_UNMARKED, SYNC_TARGET_DIFFERS, SYNC_TARGET_MISSING, SYNC_TARGET_NOT_ELSEWHERE it is here;
   *         and what comes when it does not answer
   */
  async prove(signal: AbortSignal): Promise<string> {
    requireElsewhere(this.#options.dataDir, this.#options.target)
    const { target } = this.#options
    await target.reach(this.#memory === undefined && !this.#options.earlier)
    this.#memory ??= await this.#firstUse(signal)
    const found = await this.#look(this.#memory, signal)
    this.#memory = found === undefined ? await this.#acceptByHand(this.#memory, signal) : this.#settled(found)
    this.#requireNotHere(this.#memory.mark)
    return this.#memory.identity
  }

  /**
   * The same beside a syncer that may be at work: nothing is written here or there.
   * @returns undefined where the target was never used
   */
  async check(signal: AbortSignal): Promise<string | undefined> {
    const { dataDir, target, earlier } = this.#options
    requireElsewhere(dataDir, target)
    const memory = this.#memory
    if (!memory) {
      if (!earlier) return undefined
      await target.reach(false)
      if (await earlier.isHere()) return earlier.identity
      throw this.#unmarked({ mark: MARK_PREFIX })
    }
    await target.reach(false)
    if ((await this.#look(memory, signal)) === undefined) {
      // Perhaps the syncer has just gone on.
      this.#memory = readMemory(dataDir, target.label) ?? memory
      if ((await this.#look(this.#memory, signal)) === undefined) throw await this.#missing(this.#memory, signal)
    }
    this.#requireNotHere(memory.mark)
    return this.#memory?.identity
  }

  /**
   * To be called before the first file is brought or deleted after the last proof.
   * @param folders of the dates that something is brought to. What is deleted is asked for where it is proven.
   */
  async advance(folders: readonly string[], signal: AbortSignal): Promise<void> {
    const memory = this.#memory
    if (!memory) throw new Error('a target is proven before it is used')
    const { dataDir, target, clock } = this.#options
    if (folders.length > 0)
      await this.#requireFoldersElsewhere([...foldersIn(dataDir), ...withThoseAbove(folders)], signal)
    if (memory.next?.number === this.#found) return
    // Never one that was written before: that may stand on another disk.
    const next = { number: (memory.next?.number ?? memory.number) + 1, atMs: clock.nowMs(), written: false }
    const { number } = next
    this.#remember({ ...memory, next })
    await target.writeMark(markOf(memory.mark, memory.identity, number), 'over', signal)
    this.#remember({ ...memory, next: { ...next, written: true } })
    this.#found = number
  }

  /**
   * The target's verdicts on files. Where nothing was brought to the folders of their dates, it shows in the same call that
   * they are others than those here: a pass that only compares needs no further one. What it did not come to show is compared
   * with the next pass.
   * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE
   */
  async verify(files: readonly ExpectedFile[], work: Work): Promise<VerifyResult> {
    const { target } = this.#options
    const folders = this.#notApart(files.map(({ path }) => dateFolderOf(path)))
    if (folders.length === 0) return target.verify(files, work)
    const { verdicts, asked, elsewhere, ...rest } = await verifyElsewhere(target, files, folders, work)
    const open = new Set(asked.filter(folder => !elsewhere.has(folder)))
    return { ...rest, verdicts: new Map([...verdicts].filter(([path]) => !open.has(dateFolderOf(path)))) }
  }

  /** The number of our mark there; undefined where it has none of the numbers that it may have. */
  async #look(memory: PlaceMemory, signal: AbortSignal): Promise<number | undefined> {
    const { mark, identity } = memory
    for (const one of this.#mayHave(memory)) {
      const verdict = await this.#compare(markOf(mark, identity, one), signal)
      if (verdict === 'same') return one
      if (verdict === 'missing') return undefined
    }
    return undefined
  }

  /** The numbers that the right place may have. What was written is there, once a power cut can no longer undo it. */
  #mayHave({ number, next }: PlaceMemory): number[] {
    if (!next) return [number]
    return next.written && this.#isPastGrace(next) ? [next.number] : [next.number, number]
  }

  #isPastGrace({ atMs }: { atMs: number }): boolean {
    const { clock, graceMs } = this.#options
    return !isNear(atMs, clock.nowMs(), graceMs())
  }

  async #compare(mark: Mark, signal: AbortSignal): Promise<Verdict> {
    return (await this.#options.target.compareMarks([mark], signal)).get(mark.name) ?? 'missing'
  }

  async #missing(memory: PlaceMemory, signal: AbortSignal): Promise<EdgeError> {
    const isThere = (await this.#compare(markByHand(memory.mark), signal)) !== 'missing'
    return isThere ? this.#differs(memory) : this.#unmarked(memory)
  }

  #settled(found: number): PlaceMemory {
    const memory = this.#memory
    if (!memory) throw new Error('a target is remembered before it is settled')
    this.#found = found
    const { next, ...rest } = memory
    if (!next) return memory
    if (next.number === found) return this.#isPastGrace(next) ? this.#remember({ ...rest, number: found }) : memory
    // A power cut there took the later one back: it is not to be waited for.
    return next.written ? this.#remember({ ...memory, next: { ...next, written: false } }) : memory
  }

  /** A person put an empty file under the mark's name, or under the one for all recorders: this is to be the target now. */
  async #acceptByHand(memory: PlaceMemory, signal: AbortSignal): Promise<PlaceMemory> {
    const { target } = this.#options
    const byHand = [markByHand(memory.mark), markByHand(MARK_PREFIX)]
    const verdicts = await target.compareMarks(byHand, signal)
    const own = verdicts.get(memory.mark) ?? 'missing'
    const common = verdicts.get(MARK_PREFIX)
    if (own !== 'same' && common !== 'same') throw own === 'missing' ? this.#unmarked(memory) : this.#differs(memory)
    await this.#requireFoldersElsewhere(foldersOf(this.#options.dataDir), signal)
    const accepted = { ...memory, identity: randomUUID(), number: 1, next: undefined }
    const mark = markOf(accepted.mark, accepted.identity, accepted.number)
    this.#remember(accepted)
    await target.writeMark(mark, own === 'missing' ? 'new' : 'over', signal)
    if (common === 'same')
      await target.writeMark({ name: MARK_PREFIX, content: `${accepted.identity}\n` }, 'over', signal)
    this.#found = accepted.number
    return accepted
  }

  /** In a copy of a dataDir: the target of the original is known by its mark, and gets another one for the copy. */
  #ofTheOriginal({ mark }: PlaceMemory): NonNullable<TargetPlaceOptions['earlier']> {
    const { signal } = new AbortController()
    return { identity: randomUUID(), isHere: async () => (await this.#compare(markByHand(mark), signal)) !== 'missing' }
  }

  async #firstUse(signal: AbortSignal): Promise<PlaceMemory> {
    const { dataDir, target, earlier } = this.#options
    const birth = birthOf(dataDir)
    const memory = { target: target.label, birth, mark: newMarkName(), identity: randomUUID() as string, number: 1 }
    if (earlier) {
      const isByHand = (await this.#compare(markByHand(MARK_PREFIX), signal)) === 'same'
      if (!isByHand) {
        if (!(await earlier.isHere())) throw this.#unmarked({ ...memory, mark: MARK_PREFIX })
        memory.identity = earlier.identity
      }
    }
    await this.#requireFoldersElsewhere(foldersOf(dataDir), signal)
    await target.writeMark(markOf(memory.mark, memory.identity, memory.number), 'new', signal)
    // Only now can it be known whether that was here. If so, nothing of it is remembered.
    this.#requireNotHere(memory.mark, path => rmSync(path, { force: true }))
    return this.#remember(memory)
  }

  #requireNotHere(mark: string, undo: (path: string) => void = () => undefined): void {
    const { dataDir, target } = this.#options
    const found = findHere(dataDir, mark, { deep: !this.#isSearched })
    this.#isSearched = true
    if (!found) return
    undo(found.path)
    throw notElsewhere(target.label, found.overlap, dataDir)
  }

  /** Before anything is written there. What is mounted later is found before the first deletion. */
  async #requireFoldersElsewhere(folders: readonly string[], signal: AbortSignal): Promise<void> {
    const open = this.#notApart(folders)
    if (open.length === 0) return
    const { dataDir, target } = this.#options
    for (const folder of await requireFoldersElsewhere(dataDir, target, open, signal)) this.#apart?.add(folder)
  }

  #notApart(folders: readonly string[]): string[] {
    const apart = this.#apart
    return apart ? folders.filter(folder => !apart.has(folder)) : []
  }

  #remember(memory: PlaceMemory): PlaceMemory {
    writeMemory(this.#options.dataDir, memory)
    this.#memory = memory
    return memory
  }

  #unmarked({ mark }: Pick<PlaceMemory, 'mark'>): EdgeError {
    const { target } = this.#options
    return new EdgeError(
      'SYNC_TARGET_UNMARKED',
      `${target.label} has no ${mark}, but it had one when it was last used`,
      {
        ...(target.folder === undefined ? {} : { path: target.folder }),
        retry: true,
        hint: `is it mounted? Nothing is brought there and nothing deleted here meanwhile. ${this.#howToAccept('touch', mark)}`,
      },
    )
  }

  #differs({ mark }: PlaceMemory): EdgeError {
    const { target } = this.#options
    return new EdgeError(
      'SYNC_TARGET_DIFFERS',
      `${target.label} is not as it was left: its ${mark} is another or an older one`,
      {
        ...(target.folder === undefined ? {} : { path: target.folder }),
        retry: true,
        hint:
          'is it another disk, or an older state of the right one? Nothing is brought there and nothing deleted here ' +
          `meanwhile. ${this.#howToAccept('truncate -s 0', mark)}`,
      },
    )
  }

  #howToAccept(command: string, mark: string): string {
    const { folder } = this.#options.target
    const place = folder === undefined ? `${mark} in the folder of sync.target, on that machine` : `${folder}/${mark}`
    return `To use what is there as a new target from now on: ${command} ${place}`
  }
}

/**
 * That a folder of this machine is not the dataDir, nor a folder in it one of ours.
 * @throws EdgeError SYNC_TARGET_NOT_ELSEWHERE
 */
export function requireElsewhere(dataDir: string, { label, folder }: Pick<Target, 'label' | 'folder'>): void {
  if (folder === undefined) return
  const mounts = mountsHere()
  requireOutside(dataDir, { label, folder }, mounts)
  const same = sameBelow(dataDir, folder, mounts)
  if (same !== undefined) throw sameFolder(label, same)
}

/** The same without a look at the folders in it. */
export function requireOutside(
  dataDir: string,
  { label, folder }: Pick<Target, 'label' | 'folder'>,
  mounts = mountsHere(),
): void {
  const overlap = folder === undefined ? undefined : overlapOf(dataDir, folder, mounts)
  if (overlap) throw notElsewhere(label, overlap, dataDir)
}

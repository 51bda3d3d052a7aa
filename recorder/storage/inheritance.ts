import type { Disk } from '../../platform/disk.js'
import { holdForeignLock, type ForeignLock } from '../../platform/lock-state.js'
import type { OpenElsewhere, OpenOf } from '../../formats/left-open.js'
import { recorderState, reservesIn } from '../../formats/recorder-state.js'
import { removeLitter } from './open-segments.js'
import { releaseReserve } from './room.js'

interface Starter extends Pick<OpenOf, 'exchange' | 'host'> {
  /** Exchanges that the same config records. */
  siblings: readonly string[]
}

/**
 * What recorders left open that go by another host or exchange and are gone: a container got another name, a config was
 * changed. Whoever starts seals it, under the name it has, and holds their locks until that is done. What a living
 * recorder has open is left to it.
 */
export class Inheritance {
  /** What others had open, dead or alive. */
  readonly found: readonly OpenElsewhere[]
  /** To be sealed: paths below `dataDir`. */
  readonly segments: readonly string[]
  #held: { lock: ForeignLock; open: readonly string[] }[] = []

  /**
   * @param own who starts: its own segments are no inheritance, nor are those of recorders that start beside it
   * @param open everything that is open
   */
  constructor(disk: Disk, dataDir: string, own: Starter, open: readonly OpenOf[]) {
    const exchanges = [own.exchange, ...own.siblings]
    const isOwn = ({ exchange, host }: OpenOf) => exchanges.includes(exchange) && host === own.host
    const others = open.filter(of => !isOwn(of))
    const claimed = others.map(of => {
      const lock = holdForeignLock(recorderState(dataDir, of.exchange, of.host, 'lock'))
      if (lock) {
        removeLitter(disk, dataDir, of)
        this.#held.push({ lock, open: of.open })
      }
      return { exchange: of.exchange, host: of.host, segments: of.open.length, isAlive: !lock }
    })
    this.found = claimed.filter(({ segments }) => segments > 0)
    this.segments = this.#held.flatMap(({ open }) => open)
    const kept = exchanges.map(exchange => recorderState(dataDir, exchange, own.host, 'reserve'))
    this.#releaseReserves(disk, dataDir, kept)
    this.settle(this.segments)
  }

  /** Gives back the locks of those of whom nothing waits to be sealed any more. */
  settle(waiting: readonly string[]): void {
    if (this.#held.length === 0) return
    const left = new Set(waiting)
    const isDone = ({ open }: { open: readonly string[] }) => !open.some(path => left.has(path))
    for (const { lock } of this.#held.filter(isDone)) lock.release()
    this.#held = this.#held.filter(held => !isDone(held))
  }

  /** What a dead recorder kept free for its journal would be kept for nobody. */
  #releaseReserves(disk: Disk, dataDir: string, kept: readonly string[]): void {
    const claimed = new Set(this.#held.map(({ lock }) => lock.path))
    for (const { reserve, lock: path } of reservesIn(dataDir)) {
      if (kept.includes(reserve)) continue
      const lock = claimed.has(path) ? undefined : holdForeignLock(path)
      if (!lock && !claimed.has(path)) continue
      releaseReserve(disk, reserve)
      lock?.release()
    }
  }
}

import { randomBytes } from 'node:crypto'

/** A small file at the top of a target. */
export interface Mark {
  name: string
  content: string
}

/** Marks of all recorders begin so; readers do not see them. */
export const MARK_PREFIX = '.edgetape-target'

/** Of one dataDir at one address: several recorders may share a target, and none can read what another wrote there. */
export function newMarkName(): string {
  return `${MARK_PREFIX}-${randomBytes(6).toString('hex')}`
}

/**
 * What a mark says: which target it is, and how far we were with it. The number grows whenever something is about to be
 * brought or to be deleted here, so that an older state of the same disk is not taken for the disk. Pure.
 */
export function markOf(name: string, identity: string, number: number): Mark {
  return { name, content: `edgetape ${identity} ${number}\n` }
}

/** An empty mark, made by hand: what is there now is to be the target. */
export function markByHand(name: string): Mark {
  return { name, content: '' }
}

import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import { createFolderDurable, writeFully } from '../../platform/durable-file.js'
import { hasErrno } from '../../platform/edge-error.js'

/** A full disk is looked at again this often. */
const LOOK_AGAIN_MS = 1000
/** Not zeros, which some file systems would keep in no room at all. */
const CHUNK = randomBytes(64 * 1024)
/** Fewer inodes than this are as good as none: every segment takes up to three. */
const FILES_MIN = 64
/** Inodes in the reserve: the folders and segments of the journal for a few hours. */
const SPARE_FILES = 8

/** True for errors that say that there is no room: blocks, inodes or a quota used up. */
export const isNoRoom = (error: unknown) => hasErrno(error, 'ENOSPC', 'EDQUOT')

export interface RoomOptions {
  disk: Disk
  /** A folder of files that take up `reserveBytes` and a few inodes, and hold nothing. */
  reserveFolder: string
  reserveBytes: number
  /** Deletes what may go, the oldest first, until about so many bytes are free. */
  makeRoom: (bytes: number) => void
}

/**
 * Knows whether the disk is full. A reserve is held as long as it is not; when a write finds no room, the reserve is
 * released, for the journal alone, and the disk counts as full until the reserve could be taken again: whoever holds it
 * has proof that there is room.
 */
export class Room {
  readonly #options: RoomOptions
  #fullSinceMs: number | undefined
  #lookAtMs = 0

  /** Takes the reserve, or finds the disk full. */
  constructor(options: RoomOptions, nowMs: number) {
    this.#options = options
    try {
      if (!this.#isHeld()) this.#take()
    } catch (error) {
      if (!isNoRoom(error)) this.#letGo()
      else this.noRoom(nowMs)
    }
  }

  get isFull(): boolean {
    return this.#fullSinceMs !== undefined
  }

  /** When to look again; only while it is full. */
  get lookAtMs(): number | undefined {
    return this.isFull ? this.#lookAtMs : undefined
  }

  /** Room for a file of this size beside the reserve; a guess that a quota proves wrong. */
  hasRoomFor(bytes: number): boolean {
    const { disk, reserveFolder, reserveBytes } = this.#options
    return !this.isFull && disk.free(dirname(reserveFolder)).bytes >= bytes + reserveBytes
  }

  /** A write found no room: the reserve is released. */
  noRoom(nowMs: number): void {
    if (this.isFull) return
    this.#fullSinceMs = nowMs
    this.#lookAtMs = nowMs
    this.#letGo()
  }

  /** The next look is due at once. */
  hurry(): void {
    this.#lookAtMs = -Infinity
  }

  /** Looks again if it is time; returns how long the disk was full, once it no longer is. */
  lookAgain(nowMs: number): number | undefined {
    const since = this.#fullSinceMs
    if (since === undefined || nowMs < this.#lookAtMs) return undefined
    this.#lookAtMs = nowMs + LOOK_AGAIN_MS
    const { disk, reserveFolder, reserveBytes, makeRoom } = this.#options
    const wanted = 2 * reserveBytes
    try {
      if (disk.free(dirname(reserveFolder)).bytes < wanted) makeRoom(2 * wanted)
      const free = disk.free(dirname(reserveFolder))
      if (free.bytes < wanted || free.files < FILES_MIN) return undefined
      this.#take()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#letGo()
      // Used up by a quota: what is verified may still go.
      if (hasErrno(error, 'EDQUOT')) makeRoom(2 * wanted)
      return undefined
    }
    this.#fullSinceMs = undefined
    return nowMs - since
  }

  #files(): [string, ...string[]] {
    return reserveFiles(this.#options.reserveFolder)
  }

  #isHeld(): boolean {
    const [first, ...spare] = this.#files()
    const { reserveBytes } = this.#options
    return statSync(first, { throwIfNoEntry: false })?.size === reserveBytes && spare.every(file => existsSync(file))
  }

  #take(): void {
    const { disk, reserveFolder, reserveBytes } = this.#options
    createFolderDurable(reserveFolder, disk)
    for (const [index, file] of this.#files().entries()) {
      const fd = disk.open(file, 'replace')
      try {
        for (let left = index === 0 ? reserveBytes : 0; left > 0; left -= CHUNK.length)
          writeFully(fd, CHUNK.subarray(0, Math.min(left, CHUNK.length)), disk)
        if (index === 0) disk.sync(fd)
      } finally {
        disk.close(fd)
      }
    }
  }

  #letGo(): void {
    releaseReserve(this.#options.disk, this.#options.reserveFolder)
  }
}

/** The files of a reserve; the first is the one with a size. */
function reserveFiles(folder: string): [string, ...string[]] {
  const fileOf = (index: number) => join(folder, String(index))
  return [fileOf(0), ...Array.from({ length: SPARE_FILES - 1 }, (_, index) => fileOf(index + 1))]
}

/** Gives back what a reserve takes up, as far as the disk lets it. */
export function releaseReserve(disk: Disk, folder: string): void {
  for (const file of reserveFiles(folder)) {
    try {
      disk.remove(file)
    } catch (error) {
      // Not there, or a disk that takes no changes at all: nothing is held either way.
      if (!(error instanceof Error)) throw error
    }
  }
}

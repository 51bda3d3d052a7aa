/**
 * What each of the last hours brought, by group: `state/recorder-<exchange>-<host>.volumes`, so that a recorder decides after
 * a restart as it would have without one. Where that is lost nobody knows, and an hour is waited for.
 */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Disk } from '../../platform/disk.js'
import type { DiskSteps } from '../../platform/disk-steps.js'
import { createFolderDurable, replaceDurably } from '../../platform/durable-file.js'
import { hasErrno, isMachineError } from '../../platform/edge-error.js'
import { isJsonObject } from '../../platform/json-object.js'

const HOUR_MS = 3_600_000
/** So many whole hours are looked at, of those that are so near. */
const HOURS = 3
const NEAR_MS = 8 * HOUR_MS
/** An hour that was recorded from later on says too little of itself. */
const WHOLE_FROM_MS = 5 * 60_000

interface Hour {
  hour_ms: number
  /** When the first of it was written. */
  from_ms: number
  /** Compressed, by group. */
  bytes: Record<string, number>
}

// By hand: `zod` would take 12 MiB of the storage thread.
const isHour = (value: unknown): value is Hour =>
  isJsonObject(value) &&
  Number.isSafeInteger(value['hour_ms']) &&
  Number.isFinite(value['from_ms']) &&
  isJsonObject(value['bytes']) &&
  Object.values(value['bytes']).every(Number.isFinite)

export class HourVolumes {
  readonly #disk: Disk
  readonly #path: string
  /** By their begin, ms. */
  readonly #hours = new Map<number, Hour>()
  #lookedHour: number | undefined

  constructor(disk: Disk, path: string) {
    this.#disk = disk
    this.#path = path
    for (const hour of read(path)) this.#hours.set(hour.hour_ms, hour)
  }

  note(group: string, atMs: number, bytes: number): void {
    const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS
    const hour = this.#hours.get(hourMs) ?? { hour_ms: hourMs, from_ms: atMs, bytes: {} }
    this.#hours.set(hourMs, hour)
    hour.bytes[group] = (hour.bytes[group] ?? 0) + bytes
  }

  /** The most that one of the last whole hours before an hour brought of a group; undefined where none is known. */
  bytesAnHour(group: string, hourMs: number): number | undefined {
    const known = this.#before(hourMs)
    return known.length === 0 ? undefined : Math.max(...known.map(({ bytes }) => bytes[group] ?? 0))
  }

  /** To be called often: once an hour it forgets what is far, and there are steps that save the rest. */
  look(nowMs: number): DiskSteps<void> | undefined {
    const hour = Math.floor(nowMs / HOUR_MS)
    if (hour === this.#lookedHour) return undefined
    this.#lookedHour = hour
    for (const hourMs of this.#hours.keys()) if (Math.abs(nowMs - hourMs) > NEAR_MS) this.#hours.delete(hourMs)
    return this.save()
  }

  /** Keeps them for the next start, which does without where the disk takes nothing. */
  *save(): DiskSteps<void> {
    try {
      createFolderDurable(dirname(this.#path), this.#disk)
      yield* replaceDurably(this.#path, `${JSON.stringify([...this.#hours.values()])}\n`, this.#disk)
    } catch (error) {
      if (!isMachineError(error)) throw error
    }
  }

  #before(hourMs: number): Hour[] {
    return [...this.#hours.values()]
      .filter(hour => hour.hour_ms < hourMs && hour.hour_ms >= hourMs - NEAR_MS)
      .filter(hour => hour.from_ms - hour.hour_ms <= WHOLE_FROM_MS)
      .sort((a, b) => b.hour_ms - a.hour_ms)
      .slice(0, HOURS)
  }
}

function read(path: string): Hour[] {
  try {
    const known: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return Array.isArray(known) && known.every(isHour) ? known : []
  } catch (error) {
    if (error instanceof SyntaxError || hasErrno(error, 'ENOENT')) return []
    throw error
  }
}

import type { Disk } from '../../platform/disk.js'
import type { DiskSteps } from '../../platform/disk-steps.js'
import { createFolder } from '../../platform/durable-file.js'

/** Folders that were made and whose names a power cut would still take: synced by the first segment that is to survive one. */
export class NewFolders {
  readonly #disk: Disk
  /** In which there are such names. */
  readonly #parents = new Set<string>()

  constructor(disk: Disk) {
    this.#disk = disk
  }

  /** Creates a folder and those above it. */
  make(path: string): void {
    for (const parent of createFolder(path, this.#disk)) this.#parents.add(parent)
  }

  /** Afterwards the names of all that were made before survive. */
  *sync(): DiskSteps<void> {
    for (const parent of [...this.#parents]) {
      // What is made in it meanwhile is for the next one.
      this.#parents.delete(parent)
      try {
        yield { syncFolder: parent }
      } catch (error) {
        this.#parents.add(parent)
        throw error
      }
    }
  }
}

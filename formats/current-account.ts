import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fsyncFolder, writeFileDurable } from '../platform/durable-file.js'

/** Which ledgers tell of the target that files go to now. The recorder believes no others when its disk is full. */
const accountSchema = z.object({
  /** As `Target.label`. */
  target: z.string(),
  /** The ledgers' folder, beside this file. */
  ledger: z.string(),
})

export type Account = z.infer<typeof accountSchema>

const pathIn = (stateDir: string) => join(stateDir, 'current.json')

/** The account that counts; undefined where none does, or where the file is not as we write it. */
export function readAccount(stateDir: string): Account | undefined {
  const path = pathIn(stateDir)
  if (!existsSync(path)) return undefined
  try {
    return accountSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Afterwards it is the one that counts, durably. */
export function writeAccount(stateDir: string, account: Account): void {
  writeFileDurable(pathIn(stateDir), `${JSON.stringify(account)}\n`)
}

/** Afterwards none counts, durably, until a target is met again. */
export function endAccount(stateDir: string): void {
  const path = pathIn(stateDir)
  if (!existsSync(path)) return
  rmSync(path)
  fsyncFolder(stateDir)
}

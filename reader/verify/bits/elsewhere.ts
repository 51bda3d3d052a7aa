import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../../config/load.js'
import type { Config } from '../../../config/schema.js'
import { DateLedger, readAccount, syncerState, type FileRecord } from '../../../formats/ledger.js'
import { handedOver } from '../../../syncer/verify-target.js'
import { placeOf } from '../../../syncer/place/place-of.js'
import { createTarget } from '../../../syncer/targets/open-target.js'
import type { Target } from '../../../syncer/targets/target.js'

/** The other copy of a dataDir. */
export interface Elsewhere {
  config: Config
  /** Undefined where none is named. */
  target: Target | undefined
}

/** What the config says of a dataDir; undefined where there is no config, or where it is about another folder. */
export function elsewhereOf(place: string, configPath: string): Elsewhere | undefined {
  if (!existsSync(configPath)) return undefined
  const config = loadConfig(configPath)
  if (!existsSync(config.dataDir) || realpathSync(config.dataDir) !== realpathSync(place)) return undefined
  return { config, target: config.sync.target === undefined ? undefined : createTarget(config.sync) }
}

/** Whether the target is there, and the one that files were brought to. @throws EdgeError where it is not */
export async function isMet({ config }: Elsewhere, target: Target, dataDir: string, signal: AbortSignal) {
  return (await placeOf({ sync: config.sync, dataDir, target, signal }).check(signal)) !== undefined
}

/** What the target has, by the ledger, of files that are here. */
export function broughtOf(dataDir: string, date: string, folders: readonly string[]): FileRecord[] {
  const account = readAccount(syncerState(dataDir))
  if (!account) return []
  return handedOver(dataDir, folders, new DateLedger(join(syncerState(dataDir), account.ledger), date, true))
}

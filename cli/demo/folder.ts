import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { EdgeError } from '../../platform/edge-error.js'
import { folderEntries } from '../../platform/folder-entries.js'

/** Where a demo keeps its things; all absolute. */
export interface DemoFolder {
  root: string
  config: string
  dataDir: string
  nas: string
  logs: string
}

/** Says that a folder was made by a demo and may be emptied by the next. */
const MARKER = '.edgetape-demo'
const MADE_BY_DEMO = ['edgetape.yaml', 'data', 'nas', 'logs', 'candles.sql']

/**
 * Makes the folder, or empties the one that a demo made before; what else somebody put there stays.
 * @throws EdgeError DEMO_FOLDER_TAKEN it has files and is no demo's
 */
export function prepareFolder(path: string): DemoFolder {
  const root = resolve(path)
  const marker = join(root, MARKER)
  mkdirSync(root, { recursive: true })
  if (folderEntries(root).length > 0 && !existsSync(marker)) {
    throw new EdgeError('DEMO_FOLDER_TAKEN', `${root} has files that no demo put there`, {
      path: root,
      hint: 'name another folder with --out',
    })
  }
  writeFileSync(marker, 'made by edgetape demo; the next demo empties this folder\n')
  for (const name of MADE_BY_DEMO) rmSync(join(root, name), { recursive: true, force: true })
  const folder = {
    root,
    config: join(root, 'edgetape.yaml'),
    dataDir: join(root, 'data'),
    nas: join(root, 'nas'),
    logs: join(root, 'logs'),
  }
  mkdirSync(folder.logs)
  mkdirSync(folder.nas)
  return folder
}

/** The config of a demo: short segments, no waiting, and a folder as the NAS. */
export function writeConfig({ config, dataDir, nas }: DemoFolder, exchange: string, url: string): void {
  const values = {
    host: 'demo',
    dataDir,
    exchange: { name: exchange, url },
    segments: { rotateMinutes: 0.2, flushMs: 250 },
    sync: { target: nas, everyMinutes: 0, graceMinutes: 0 },
    // Nothing is deleted, so that there is something to look at.
    retention: { minFreeGiB: 0 },
  }
  writeFileSync(config, `# Written by edgetape demo.\n${stringify(values)}`)
}

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describeFile } from '../../../compactor/date/day-lists.js'
import { dateFiles } from '../../../compactor/date/date-job.js'
import type { Engine } from '../../../compactor/engine.js'
import { finishedListsOf, readFinishedList, type ListedFile } from '../../../formats/finished-list.js'
import { parquetFileAt } from '../../../formats/parquet-tree.js'
import { isMachineError, messageOf } from '../../../platform/edge-error.js'
import type { Findings } from '../findings.js'

const hint = 'edgetape compact --once --rebuild-lists'

/** That the lists of a finished day say what is there: each file as it is, and no file left out. */
export async function proveLists(
  root: string,
  date: string,
  engine: Pick<Engine, 'rows'>,
  findings: Findings,
): Promise<void> {
  const found = finishedListsOf(root, date).map(path => ({ path, files: readFinishedList(root, path) }))
  for (const { path } of found.filter(({ files }) => !files)) {
    const message = 'its list is revoked, or not whole: readers list the folders of that day'
    findings.add({ weight: 'note', code: 'NO_LIST', path, message, hint })
  }
  if (found.length === 0 || found.some(({ files }) => !files)) return
  const listed = new Map(found.flatMap(({ files = [] }) => files.map(file => [file.path, file])))
  for (const { path } of dateFiles(root, date)) {
    if (listed.has(path)) continue
    const message = 'the list of its day does not name it: readers may pass it over'
    findings.add({ weight: 'fault', code: 'NOT_LISTED', path, message, hint })
  }
  for (const file of listed.values()) await proveListed(root, file, engine, findings)
}

async function proveListed(root: string, listed: ListedFile, engine: Pick<Engine, 'rows'>, findings: Findings) {
  const { path } = listed
  const file = parquetFileAt(path)
  if (!file || !existsSync(join(root, path))) {
    const message = 'its list names it, and it is not here; readers list the folders of that day'
    findings.add({ weight: 'unproven', code: 'LISTED_MISSING', path, message })
    return
  }
  try {
    const here = await describeFile(engine, root, file)
    const wrong = Object.entries(listed).filter(
      ([key, value]) => JSON.stringify(here[key as keyof ListedFile]) !== JSON.stringify(value),
    )
    if (wrong.length === 0) return
    const message = `its list differs from it in ${wrong.map(([key]) => key).join(', ')}`
    findings.add({ weight: 'fault', code: 'LIST_DIFFERS', path, message, hint })
  } catch (error) {
    // That it cannot be read is reported where files are proven.
    if (isMachineError(error) || messageOf(error) === '') throw error
  }
}

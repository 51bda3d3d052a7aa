import { statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Config } from '../../config/schema.js'
import { parquetFolders } from '../../formats/parquet-tree.js'
import { recorderName } from '../../formats/recorder-name.js'
import { reportPath } from '../../formats/report-path.js'
import { datesOfTree } from '../../formats/tree-place.js'
import { readDataIdentity } from '../../platform/data-identity.js'
import { createFolderDurable } from '../../platform/durable-file.js'
import { greatest } from '../../platform/extremes.js'
import type { DailyJob } from './daily-work.js'

/** The tables of coverage, and the report where the config wants one, in this order. */
export function dailyJobs({ dataDir, host, report }: Pick<Config, 'dataDir' | 'host' | 'report'>): DailyJob[] {
  const coverage: DailyJob = {
    name: 'coverage',
    canBegin: () => true,
    writtenMs: date => coverageWrittenMs(dataDir, date),
    begin: date => ['coverage', '--path', dataDir, '--date', date, '--write'],
  }
  return report.nightly ? [coverage, reportJob(dataDir, host)] : [coverage]
}

function reportJob(dataDir: string, host: string): DailyJob {
  const pathOf = (date: string) => {
    const identity = readDataIdentity(dataDir)
    return join(dataDir, reportPath(date, identity === undefined ? host : recorderName(host, identity)))
  }
  return {
    name: 'report',
    canBegin: date => {
      const dates = datesOfTree(dataDir)
      return dates !== undefined && date >= dates.first && date <= dates.last
    },
    writtenMs: date => statSync(pathOf(date), { throwIfNoEntry: false })?.mtimeMs,
    begin: date => {
      createFolderDurable(dirname(pathOf(date)))
      return ['report', '--date', date, '--path', dataDir, '--out', pathOf(date)]
    },
  }
}

function coverageWrittenMs(dataDir: string, date: string): number | undefined {
  const times = [...parquetFolders(dataDir, { table: 'coverage', date })].flatMap(
    ({ path }) => statSync(join(dataDir, path), { throwIfNoEntry: false })?.mtimeMs ?? [],
  )
  return times.length === 0 ? undefined : greatest(times)
}

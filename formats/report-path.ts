import { listFolder } from './partition-folders.js'

export interface ReportFile {
  /** `2026-11-22` */
  date: string
  /** Below the dataDir. */
  path: string
}

/** Where the report of a day lies, here and at the target. Each recorder has its own. */
export const reportPath = (date: string, recorder: string) => `reports/date=${date}/report-${recorder}.html`

const DAY = /^date=(\d{4}-\d{2}-\d{2})$/
const REPORT = /^report-.+\.html$/

/** Those that lie below a root, the newest day first. */
export function reportFiles(root: string): ReportFile[] {
  const { folders } = listFolder(root, 'reports')
  return folders
    .flatMap(folder => {
      const date = DAY.exec(folder)?.[1]
      if (date === undefined) return []
      const names = listFolder(root, `reports/${folder}`).files.filter(name => REPORT.test(name))
      return names.map(name => ({ date, path: `reports/${folder}/${name}` }))
    })
    .reverse()
}

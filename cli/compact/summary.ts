import { SingleBar } from 'cli-progress'
import type { Summary } from '../../compactor/progress.js'

/** How far a backlog is worked off, on a terminal. */
export function compactionBar() {
  const bar = new SingleBar({
    format: '{bar} {value}/{total} segments, {rows} rows, {eta_formatted} left',
    hideCursor: true,
    stream: process.stderr,
  })
  return {
    show: ({ segments, failed, backlog, rows }: Summary) => {
      const done = segments + failed
      const payload = { rows: Object.values(rows).reduce((sum, count) => sum + count, 0) }
      if (bar.isActive) {
        bar.setTotal(done + backlog)
        bar.update(done, payload)
      } else bar.start(done + backlog, done, payload)
    },
    stop: () => bar.stop(),
  }
}

/** What a run did, for people. */
export function summaryText({
  segments,
  failed,
  frames,
  rows,
  doubles,
  quarantined,
  known,
  lastError,
}: Summary): string {
  const tables = Object.entries(rows).map(([table, count]) => `  ${table.padEnd(12)} ${count} rows`)
  return [
    `segments     ${segments} converted, ${failed} failed`,
    `frames       ${frames}`,
    ...tables,
    `doubles      ${doubles} rows left out`,
    `quarantined  ${quarantined}`,
    `known        ${known} frames without rows`,
    ...(lastError === undefined ? [] : [`last error   ${lastError}`]),
    '',
  ].join('\n')
}

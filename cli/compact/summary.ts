import type { Summary } from '../../compactor/progress.js'
import { showProgress } from '../../platform/progress-bar.js'

/** How far a backlog is worked off, on a terminal. */
export function compactionBar() {
  const bar = showProgress('segments', 0, 'steps')
  return {
    show: ({ segments, failed, backlog }: Summary) => bar.reach(segments + failed, segments + failed + backlog),
    stop: bar.stop,
  }
}

/** What a run did, for people. */
export function summaryText({
  segments,
  failed,
  frames,
  rows,
  duplicates,
  quarantined,
  known,
  lastError,
}: Summary): string {
  const tables = Object.entries(rows).map(([table, count]) => `  ${table.padEnd(12)} ${count} rows`)
  return [
    `segments     ${segments} converted, ${failed} failed`,
    `frames       ${frames}`,
    ...tables,
    `duplicates   ${duplicates} rows left out`,
    `quarantined  ${quarantined}`,
    `known        ${known} frames without rows`,
    ...(lastError === undefined ? [] : [`last error   ${lastError}`]),
    '',
  ].join('\n')
}

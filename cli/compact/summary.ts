import progress from 'cli-progress'
import type { Summary } from '../../compactor/progress.js'

/** How far a backlog is worked off, on a terminal. The time left is told from the whole run: segments differ. */
export function compactionBar() {
  const options = {
    format: '{bar} {value}/{total} segments, {rows} rows, {left} left',
    hideCursor: true,
    stream: process.stderr,
    autopaddingChar: '',
  }
  const bar = new progress.SingleBar(options)
  const startedMs = performance.now()
  return {
    show: ({ segments, failed, backlog, rows }: Summary) => {
      const done = segments + failed
      const seconds = secondsLeft((performance.now() - startedMs) / 1000, done, backlog)
      const payload = {
        rows: Object.values(rows).reduce((sum, count) => sum + count, 0),
        left: progress.Format.TimeFormat(seconds, options, 1),
      }
      if (bar.isActive) {
        bar.setTotal(done + backlog)
        bar.update(done, payload)
      } else bar.start(done + backlog, done, payload)
    },
    stop: () => bar.stop(),
  }
}

/** How long so many segments take, if they take as long as those before. Pure. */
export function secondsLeft(elapsed: number, done: number, backlog: number): number {
  return done === 0 ? 0 : Math.ceil((elapsed / done) * backlog)
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

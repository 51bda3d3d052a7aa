import { hasErrno } from '../platform/edge-error.js'

/**
 * Once for all commands: a reader that has seen enough (`| head`, `| grep -q`) or a terminal that was closed is no error.
 * Without one for the results the command ends, with the exit code as it stands; without one for the messages it goes on.
 */
export function endWhenNobodyReads(): void {
  process.stdout.on('error', (error: Error) => {
    requireClosed(error)
    process.exit()
  })
  process.stderr.on('error', requireClosed)
}

function requireClosed(error: Error): void {
  if (!hasErrno(error, 'EPIPE', 'EIO')) throw error
}

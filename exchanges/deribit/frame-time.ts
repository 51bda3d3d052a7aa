const NOTIFICATION = Buffer.from('"method":"subscription"')
const TIMESTAMP = Buffer.from('"timestamp":')
const DIGITS = 13

/**
 * The exchange's own time in a notification, ms since the epoch: of the last of several events; undefined where there is
 * none, and in answers, which are about the past.
 */
export function madeMs(frame: Buffer): number | undefined {
  if (frame.indexOf(NOTIFICATION) < 0) return undefined
  const at = frame.lastIndexOf(TIMESTAMP)
  if (at < 0) return undefined
  const from = at + TIMESTAMP.length
  const digits = frame.toString('latin1', from, from + DIGITS)
  return /^\d{13}$/.test(digits) ? Number(digits) : undefined
}

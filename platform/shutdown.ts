/**
 * Calls `stop` once, on the first SIGTERM or SIGINT, and for a supervised child when its parent's channel closes.
 * A second signal ends the process at once with the shell's exit code for it.
 */
export function onShutdown(stop: (reason: string) => void): void {
  let asked = false
  for (const [signal, code] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    process.on(signal, () => {
      if (asked) process.exit(code)
      asked = true
      stop(signal)
    })
  }
  if (process.send) {
    process.on('disconnect', () => {
      if (asked) return
      asked = true
      stop('supervisor gone')
    })
    // Listening must not keep a part alive that has nothing left to do.
    process.channel?.unref()
  }
}

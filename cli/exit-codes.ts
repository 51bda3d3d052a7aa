/** How the command ends; `docs/exit-codes.md` explains them. */
export const exitCodes = {
  success: 0,
  /** Something failed, or was looked for and found wrong; the message says what. */
  failure: 1,
  /** The command line or the config file is wrong: trying again changes nothing. */
  usage: 2,
  /** `doctor` only: nothing stands in the way, but something should be looked at. */
  warnings: 3,
  /** Ended at once by a second Ctrl-C. */
  interrupted: 130,
  /** Ended at once by a second SIGTERM. */
  terminated: 143,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

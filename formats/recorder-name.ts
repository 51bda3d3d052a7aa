/**
 * How a recorder is called in names: its `host`, and behind it the identity of its dataDir. A host has no `_`, so both can
 * be told apart; recorders of version 0.1.0 were called by their host alone.
 */
export const RECORDER_NAME = String.raw`[A-Za-z0-9][A-Za-z0-9.-]*(?:_[a-z0-9]{8})?`

export const recorderName = (host: string, identity: string) => `${host}_${identity}`

/** What a recorder's name says. */
export function parseRecorderName(name: string): { host: string; identity: string | undefined } {
  const [host = '', identity] = name.split('_')
  return { host, identity }
}

/**
 * Whether two names within one dataDir are of the same recorder: its host alone decides, for the identity came with a later
 * version, and a new one is made where it was lost.
 */
export const isSameRecorder = (one: string, other: string) =>
  parseRecorderName(one).host === parseRecorderName(other).host

import { EdgeError, messageOf } from '../../platform/edge-error.js'

/** `skipped`: could not be looked at because of another finding. */
export type Outcome = 'ok' | 'warning' | 'failed' | 'skipped'

/** What a check found, for a person and for programs. */
export interface Finding {
  /** What was looked at: `disk`, `exchange clock`. */
  check: string
  outcome: Outcome
  message: string
  /** What to do about it; several steps are several lines. */
  hint?: string
  /** The same in figures, for programs. */
  facts?: Readonly<Record<string, unknown>>
}

/** Something to look at. A check may find several things; what it throws is a finding, too. */
export interface Check {
  name: string
  /** It is given up after this, ms. */
  withinMs: number
  look: (signal: AbortSignal) => Promise<readonly Finding[]>
}

/**
 * Starts all checks at once and gives their findings in the order of the list, each as soon as those before it are there.
 * A check that neither ends nor heeds its signal counts as failed, and no other waits for it.
 */
export async function* findingsOf(checks: readonly Check[], signal: AbortSignal): AsyncGenerator<Finding> {
  const looks = checks.map(check => lookWithin(check, signal))
  for (const look of looks) yield* await look
}

const HANGS = 'DOCTOR_CHECK_HANGS'

/** True for a check that may still hold up the process that looked. */
export function isHanging({ facts }: Finding): boolean {
  return facts?.['code'] === HANGS
}

/** What a check threw. `hint` is for what says itself nothing of what to do. */
export function thrownFinding(check: string, thrown: unknown, hint?: string): Finding {
  const { code, hint: own } = thrown instanceof EdgeError ? thrown : {}
  const todo = own ?? hint
  return {
    check,
    outcome: 'failed',
    message: messageOf(thrown),
    ...(todo === undefined ? {} : { hint: todo }),
    ...(code === undefined ? {} : { facts: { code } }),
  }
}

async function lookWithin({ name, withinMs, look }: Check, signal: AbortSignal): Promise<readonly Finding[]> {
  const limit = new AbortController()
  const late: Finding = {
    check: name,
    outcome: 'failed',
    message: `no answer within ${withinMs / 1000} s`,
    hint: 'something hangs: the network, a mount, or this machine is overloaded',
    facts: { code: HANGS },
  }
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<readonly Finding[]>(resolve => {
    timer = setTimeout(() => {
      limit.abort()
      resolve([late])
    }, withinMs)
  })
  try {
    return await Promise.race([look(AbortSignal.any([signal, limit.signal])), patience])
  } catch (error) {
    if (limit.signal.aborted) return [late]
    if (error instanceof Error) return [thrownFinding(name, error)]
    throw error
  } finally {
    clearTimeout(timer)
  }
}

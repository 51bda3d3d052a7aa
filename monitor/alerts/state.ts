import { parsedJson } from '../../platform/json-object.js'
import { z } from '../../platform/zod.js'
import type { Observation } from '../observe/observation.js'
import { conditionsOf, nothingSeen, remembered, type Limits, type Memory } from './conditions.js'

/** What one condition came to. */
const standing = z.object({
  /** It is bad, or was so a moment ago. */
  active: z.boolean(),
  /** Since when. */
  sinceMs: z.number(),
  /** Since when it is good again, while it is still active. */
  goodSinceMs: z.number().optional(),
  text: z.string(),
  /** When it was last told of; undefined: nobody knows of it. */
  toldMs: z.number().optional(),
})

const stateSchema = z.object({
  standing: z.record(z.string(), standing),
  memory: z.object({
    startedAt: z.record(z.string(), z.string()),
    quarantineFiles: z.number().optional(),
    badCopies: z.number().optional(),
  }),
  /** When messages were sent within the last hour. */
  sentMs: z.array(z.number()),
})

/** All that is known from one look to the next; plain data. */
export interface AlertState {
  standing: Readonly<Record<string, Standing>>
  memory: Memory
  sentMs: readonly number[]
}

interface Standing {
  active: boolean
  sinceMs: number
  goodSinceMs?: number | undefined
  text: string
  toldMs?: number | undefined
}

/** A message that is due. */
export interface Alert {
  key: string
  what: 'raised' | 'still' | 'cleared'
  text: string
  sinceMs: number
}

export const noAlerts: AlertState = { standing: {}, memory: nothingSeen, sentMs: [] }

const HOUR_MS = 3_600_000

/** What a look changes: bad is bad at once, good must last `clearMinutes`. Pure. */
export function looked(state: AlertState, seen: Observation, limits: Limits): AlertState {
  const standing: Record<string, Standing> = { ...state.standing }
  for (const { key, state: now, text } of conditionsOf(seen, limits, state.memory)) {
    const before = standing[key]
    if (now === 'bad') {
      const isKnown = before?.active === true
      standing[key] = { active: true, sinceMs: isKnown ? before.sinceMs : seen.atMs, text, toldMs: before?.toldMs }
    } else if (before?.active) {
      const goodSinceMs = now === 'good' ? (before.goodSinceMs ?? seen.atMs) : undefined
      const isOver = goodSinceMs !== undefined && seen.atMs - goodSinceMs >= 60_000 * limits.clearMinutes
      standing[key] = isOver ? { ...before, active: false, goodSinceMs, text } : { ...before, goodSinceMs }
    }
  }
  return { ...state, standing, memory: remembered(seen, state.memory) }
}

/** What is to be told now, as far as the limit of messages an hour allows; the rest waits, and may be over before. Pure. */
export function due({ standing, sentMs }: AlertState, limits: Limits, nowMs: number): Alert[] {
  const alerts = Object.entries(standing).flatMap(([key, { active, sinceMs, text, toldMs }]): Alert[] => {
    if (active && toldMs === undefined) return [{ key, what: 'raised', text, sinceMs }]
    if (!active && toldMs !== undefined) return [{ key, what: 'cleared', text, sinceMs }]
    const again = limits.repeatHours > 0 && toldMs !== undefined && nowMs - toldMs >= HOUR_MS * limits.repeatHours
    return active && again ? [{ key, what: 'still', text, sinceMs }] : []
  })
  const recent = sentMs.filter(ms => nowMs - ms < HOUR_MS).length
  return alerts.slice(0, Math.max(0, limits.perHour - recent))
}

/** An alert reached whom it was for. Pure. */
export function told(state: AlertState, { key, what }: Alert, nowMs: number): AlertState {
  const { [key]: own, ...others } = state.standing
  if (!own) return state
  const standing = what === 'cleared' ? others : { ...state.standing, [key]: { ...own, toldMs: nowMs } }
  return { ...state, standing, sentMs: [...state.sentMs.filter(ms => nowMs - ms < HOUR_MS), nowMs] }
}

/** What was kept of an earlier process; nothing where it cannot be read. Pure. */
export function parseState(text: string): AlertState {
  const state = stateSchema.safeParse(parsedJson(text)).data
  if (!state) return noAlerts
  const { startedAt, quarantineFiles, badCopies } = state.memory
  return { ...state, memory: { startedAt, quarantineFiles, badCopies } }
}

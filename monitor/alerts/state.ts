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
  /** Since when nobody looks at it any more, while it is still active. */
  unseenSinceMs: z.number().optional(),
  text: z.string(),
  /** When it was last sent (the name is on disk); undefined: nobody knows of it. */
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
  unseenSinceMs?: number | undefined
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
/** What is looked at no more may be so for a moment, or for good: its limit is off now, its exchange is recorded no more. */
const UNSEEN_MS = 24 * HOUR_MS

/** What a look changes: bad is bad at once, good must last `clearMinutes`. Pure. */
export function looked(state: AlertState, seen: Observation, limits: Limits): AlertState {
  const known = notAhead(state, seen.atMs)
  const standing = unseen(known.standing, seen.atMs)
  for (const { key, state: now, text } of conditionsOf(seen, limits, state.memory)) {
    const before = known.standing[key]
    if (now === 'bad') {
      const isKnown = before?.active === true
      standing[key] = { active: true, sinceMs: isKnown ? before.sinceMs : seen.atMs, text, toldMs: before?.toldMs }
    } else if (before?.active) {
      const goodSinceMs = now === 'good' ? (before.goodSinceMs ?? seen.atMs) : undefined
      const isOver = goodSinceMs !== undefined && seen.atMs - goodSinceMs >= 60_000 * limits.clearMinutes
      const after = { ...before, goodSinceMs, unseenSinceMs: undefined }
      standing[key] = isOver ? { ...after, active: false, text } : after
    }
  }
  return { ...known, standing, memory: remembered(seen, state.memory) }
}

/** As if nothing of it were looked at: it is sent no more, and over after a day. */
function unseen(standing: AlertState['standing'], nowMs: number): Record<string, Standing> {
  const entries = Object.entries(standing).map(([key, own]): [string, Standing] => {
    if (!own.active) return [key, own]
    const unseenSinceMs = own.unseenSinceMs ?? nowMs
    const isOver = nowMs - unseenSinceMs >= UNSEEN_MS
    const text = isOver ? `nobody looks any more at: ${own.text}` : own.text
    return [key, { ...own, active: !isOver, unseenSinceMs, text }]
  })
  return Object.fromEntries(entries)
}

/** Times of before a clock was set back count as now: what lies ahead would be waited for, for hours or years. */
function notAhead(state: AlertState, nowMs: number): AlertState {
  const before = (ms: number | undefined) => ms && Math.min(ms, nowMs)
  const entries = Object.entries(state.standing).map(([key, own]): [string, Standing] => [
    key,
    {
      ...own,
      ...{ sinceMs: Math.min(own.sinceMs, nowMs), goodSinceMs: before(own.goodSinceMs) },
      ...{ unseenSinceMs: before(own.unseenSinceMs), toldMs: before(own.toldMs) },
    },
  ])
  const sentMs = state.sentMs.map(ms => Math.min(ms, nowMs))
  return { ...state, standing: Object.fromEntries(entries), sentMs }
}

/** What is wrong is not to wait behind what is well again. */
const URGENCY: readonly Alert['what'][] = ['raised', 'cleared', 'still']
const byUrgency = (a: Alert, b: Alert) => URGENCY.indexOf(a.what) - URGENCY.indexOf(b.what)

/** What is to be sent now, as far as the limit of messages an hour allows; the rest waits, and may be over before. Pure. */
export function due({ standing, sentMs }: AlertState, limits: Limits, nowMs: number): Alert[] {
  const alerts = Object.entries(standing).flatMap(
    ([key, { active, sinceMs, text, toldMs, unseenSinceMs }]): Alert[] => {
      if (active && toldMs === undefined) return [{ key, what: 'raised', text, sinceMs }]
      if (!active && toldMs !== undefined) return [{ key, what: 'cleared', text, sinceMs }]
      const again = limits.repeatHours > 0 && toldMs !== undefined && nowMs - toldMs >= HOUR_MS * limits.repeatHours
      return active && again && unseenSinceMs === undefined ? [{ key, what: 'still', text, sinceMs }] : []
    },
  )
  const recent = sentMs.filter(ms => nowMs - ms < HOUR_MS).length
  return alerts.sort(byUrgency).slice(0, Math.max(0, limits.perHour - recent))
}

/** An alert reached whom it was for. Pure. */
export function delivered(state: AlertState, { key, what }: Alert, nowMs: number): AlertState {
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

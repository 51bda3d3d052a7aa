import type { RecorderStatus } from '../../formats/part-status.js'
import type { Rates } from './rates.js'

export interface ConnectionSeen {
  exchange: string
  name: string
  state: string | undefined
  framesPerSecond: number | undefined
  lastFrameMs: number | undefined
  reconnects: number | undefined
  channels: number | undefined
  lastError: string | undefined
}

export function connectionsOf(recorder: RecorderStatus, rates: Rates | undefined): ConnectionSeen[] {
  return recorder.connections.map(told => ({
    exchange: recorder.exchange ?? '',
    name: told.name,
    // What a recorder said that gives no sign any more is not so now.
    state: rates && told.state,
    framesPerSecond: rates && (told.frames_per_second ?? rates.connections.get(told.name)),
    lastFrameMs: told.last_frame_at,
    reconnects: told.reconnects ?? (told.sessions === undefined ? undefined : Math.max(0, told.sessions - 1)),
    channels: told.channels,
    lastError: told.last_error,
  }))
}

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
  return recorder.connections.map(connection => ({
    exchange: recorder.exchange ?? '',
    name: connection.name,
    // What a recorder said that gives no sign any more is not so now.
    state: rates && connection.state,
    framesPerSecond: rates && (connection.frames_per_second ?? rates.connections.get(connection.name)),
    lastFrameMs: connection.last_frame_at,
    reconnects:
      connection.reconnects ?? (connection.sessions === undefined ? undefined : Math.max(0, connection.sessions - 1)),
    channels: connection.channels,
    lastError: connection.last_error,
  }))
}

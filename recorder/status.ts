import type { Adapter } from '../exchanges/adapter.js'
import type { Said } from '../formats/part-status.js'
import type { ConnectionPool } from './connection-pool.js'
import type { Storage } from './storage/storage.js'
import type { FrameRouter } from './frame-router.js'
import type { Glances } from './glances.js'
import type { ReceiveLag } from './receive-lag.js'

interface Sources {
  run: string
  host: string
  exchange: Pick<Adapter, 'name'>
  lag: ReceiveLag
  glances: Glances
  pool: ConnectionPool
  router: FrameRouter
  storage: Storage
}

/** What the recorder is doing now, for its status file; counts are since its start, bytes uncompressed. */
export function recorderStatus({
  run,
  host,
  exchange,
  lag,
  glances,
  pool,
  router,
  storage,
}: Sources): Said<'recorder'> {
  const families = Object.fromEntries(
    [...router.counts].map(([family, { frames, bytes, lastUs }]) => [
      family,
      { frames, bytes, last_frame_at: new Date(lastUs / 1000).toISOString(), ...lag.of(family) },
    ]),
  )
  const counts = [...router.counts.values()]
  return {
    exchange: exchange.name,
    run,
    host,
    frames: counts.reduce((sum, { frames }) => sum + frames, 0),
    bytes: counts.reduce((sum, { bytes }) => sum + bytes, 0),
    stored_frames: storage.storedFrames,
    compressed_bytes: storage.compressedBytes,
    lost_frames: storage.lostFrames,
    disk_error: refusalOf(storage),
    waiting_bytes: storage.waitingBytes,
    sealed_segments: storage.sealedSegments,
    channels_planned: pool.plannedChannels,
    exchange_offset_us: pool.exchangeOffsetUs ?? null,
    not_offered: [...pool.notOffered],
    families,
    shown: glances.all(),
    connections: pool.connections.map(connection => ({
      name: connection.name,
      state: connection.state,
      sessions: connection.sessions,
      reconnects: connection.reconnects,
      frames: connection.frames,
      frames_per_second: Math.round(10 * connection.framesPerSecond) / 10,
      channels: connection.channels.size,
      last_frame_at: connection.lastFrameUs === 0 ? null : new Date(connection.lastFrameUs / 1000).toISOString(),
      last_error: connection.lastError ? { ...connection.lastError } : null,
    })),
  }
}

function refusalOf({ refusal }: Storage): { at: string; message: string } | null {
  return refusal ? { at: new Date(refusal.atMs).toISOString(), message: refusal.message } : null
}

import { addonMissing } from '../platform/addons.js'
import { EdgeError } from '../platform/edge-error.js'
import type { Adapter } from '../exchanges/adapter.js'
import type { Logger } from '../platform/log.js'
import type { Complaints } from './complaints.js'
import type { BrokenFrame } from './storage/messages.js'
import type { Storage } from './storage/storage.js'
import type { FrameRouter } from './frame-router.js'

const NO_JSON = 'frames that are not one line of JSON, or nested too deeply; kept as text'

/** Reports to log and journal what the storage thread says; rejects when the thread dies. */
export function reportStorage(
  storage: Storage,
  router: FrameRouter,
  {
    log,
    complaints,
    exchange: { isCompressed = false, textIn = [] },
    foundBroken,
  }: {
    log: Logger
    complaints: Complaints
    exchange: Pick<Adapter, 'isCompressed' | 'textIn'>
    /** Hears of frames that seemed whole when they came. */
    foundBroken: (frame: BrokenFrame) => void
  },
  setPaused: (paused: boolean) => void,
): Promise<never> {
  reportSegments(storage, router, log)
  reportTrouble(storage, router, log)
  storage.on('odd', ({ channel, encoding, conn, seq, frames, broken = [] }) => {
    for (const frame of broken) foundBroken(frame)
    // Compressed messages are no text, and none that can be read is odd.
    if (isCompressed && encoding === 'base64') return
    if (encoding === 'text' && textIn.includes(channel)) return
    const message = encoding === 'base64' ? 'frames that are no UTF-8; kept as base64' : NO_JSON
    complaints.report({
      event: 'odd_frame',
      message: `${channel}: ${message}`,
      facts: { family: channel, conn, seq, frames },
    })
  })
  storage.on('pressure', on => {
    log.warn({ waitingBytes: storage.waitingBytes }, on ? 'the disk is too slow: sockets paused' : 'sockets resumed')
    router.journal(on ? 'paused' : 'resumed', { waiting_bytes: storage.waitingBytes })
    setPaused(on)
  })
  return new Promise((_resolve, reject) => {
    storage.on('died', cause =>
      reject(
        addonMissing(cause) ??
          new EdgeError('STORAGE_DIED', `the storage thread ended: ${cause.message}`, {
            cause,
            hint: 'start the recorder again; it recovers what is open',
          }),
      ),
    )
  })
}

function reportSegments(storage: Storage, router: FrameRouter, log: Logger): void {
  storage.on('sealed', ({ path, manifest, recovered }) => {
    const { frames, bytes_compressed } = manifest
    log.info({ path, frames, bytes_compressed, recovered }, 'sealed')
    if (recovered)
      router.journal('segment_recovered', { path, frames, ...(manifest.recovered ?? { torn_bytes: 0, cut_lines: 0 }) })
  })
  storage.on('goesOn', ({ path, toUs }) => router.journal('goes_on', { path, to_us: toUs }))
  storage.on('openElsewhere', ({ exchange, host, segments, isAlive }) => {
    const facts = { exchange, host, segments }
    if (isAlive) {
      log.info(facts, 'another recorder is running in this dataDir')
      return
    }
    log.warn(facts, 'a recorder of another name left segments open and is gone: they are sealed now')
    router.journal('inherited', { exchange, host, segments })
  })
  storage.on('unreadable', ({ path, movedTo }) => {
    log.warn({ path, movedTo }, 'a segment left open held nothing that could be read')
    router.journal('segment_unreadable', { path, moved_to: movedTo })
  })
}

function reportTrouble(storage: Storage, router: FrameRouter, log: Logger): void {
  let lastFailure = ''
  storage.on('failed', ({ what, message }) => {
    // The same of one file after the other is one trouble.
    const failure = message.replaceAll(/'[^']*'/g, '')
    if (lastFailure !== failure) {
      log.error({ what, err: message }, 'cannot write, trying again')
      router.journal('disk_error', { what, message })
    }
    lastFailure = failure
  })
  storage.on('madeRoom', ({ files, bytes }) => {
    log.warn({ files: files.length, bytes }, 'the disk is full: deleted segments that are verified at the target')
    router.journal('made_room', { files, bytes })
  })
  storage.on('takesAgain', (afterMs, message) => {
    lastFailure = ''
    log.info({ afterMs, after: message }, 'the disk takes frames again')
    router.journal('disk_again', { after_ms: afterMs, message })
  })
  storage.on('roomAgain', ({ afterMs }) => {
    lastFailure = ''
    log.info({ afterMs }, 'there is room on the disk again')
    router.journal('room_again', { after_ms: afterMs })
  })
  storage.on('lost', ({ channel, fromUs, toUs, frames, cause }) => {
    log.error({ channel, frames, cause }, 'frames lost')
    router.journal('lost', { channel, from_us: fromUs, to_us: toUs, frames, cause })
    storage.noteGap([channel], { from_us: fromUs, to_us: toUs, conn: 'disk', cause: 'lost' })
  })
}

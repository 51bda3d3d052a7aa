import pretty from 'pretty-bytes'
import { loadConfig } from '../../config/load.js'
import { onShutdown } from '../../platform/shutdown.js'
import { verifyTarget } from '../../syncer/main.js'
import type { Proof } from './proof.js'

const SHIPPED_ANEW = 'the next pass of the syncer copies it again'
const TOLD_NOBODY = 'a syncer is at work and was not told; stop it and verify again, so that the file is copied again'

/**
 * Has the target of `sync` compute the checksum of every file that is still here and was handed over. It is asked for by
 * name only: it takes the target's time. What is no longer here is proven on the target itself, or on a mount of it.
 */
export const nasProof: Proof = {
  name: 'nas',
  describes: 'the copies at sync.target, by checksums computed there',
  byDate: true,
  isHere: () => false,
  prove: async (path, { findings, startProgress, config, date }) => {
    const stop = new AbortController()
    onShutdown(reason => stop.abort(reason))
    let progress: ReturnType<typeof startProgress> | undefined
    let shownBytes = 0
    const proof = await verifyTarget({
      config: { ...loadConfig(config), dataDir: path },
      signal: stop.signal,
      date,
      onProgress: ({ bytes, doneBytes }) => {
        progress ??= startProgress('nas', bytes)
        progress.advance(doneBytes - shownBytes)
        shownBytes = doneBytes
      },
    })
    const hint = proof.noted ? SHIPPED_ANEW : TOLD_NOBODY
    for (const file of proof.wrong) {
      findings.add({
        weight: 'fault',
        code: 'COPY_WRONG',
        path: file,
        message: `another content at ${proof.target}`,
        hint,
      })
    }
    for (const file of proof.missing) {
      findings.add({ weight: 'fault', code: 'COPY_MISSING', path: file, message: `not at ${proof.target}`, hint })
    }
    for (const { path: file, reason } of proof.problems) {
      findings.add({ weight: 'unproven', code: 'COPY_UNKNOWN', path: file, message: reason })
    }
    if (proof.error) {
      const { code, message, hint: advice } = proof.error
      // Nothing is wrong with the files for all we know, but whoever asked must not take silence for a proof.
      findings.add({
        weight: 'fault',
        code,
        path: proof.target,
        message,
        ...(advice === undefined ? {} : { hint: advice }),
      })
    } else if (stop.signal.aborted) {
      findings.add({ weight: 'fault', code: 'STOPPED', path: proof.target, message: 'stopped before the end' })
    }
    const { files, bytes, right, wrong, missing } = proof
    return {
      text: `${right} of ${files} copies (${pretty(bytes, { binary: true })}) at ${proof.target} are right`,
      facts: { files, bytes, right, wrong: wrong.length, missing: missing.length },
    }
  },
}

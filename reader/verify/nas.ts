import { sizeText } from '../../platform/figures.js'
import { loadConfig } from '../../config/load.js'
import { verifyTarget, type TargetProof } from '../../syncer/main.js'
import type { Proof } from './proof.js'

const SHIPPED_ANEW = 'the next pass of the syncer copies it again'
const COUNTS = ['files', 'bytes', 'right', 'wrong', 'missing'] as const

/**
 * Has the target of `sync` compute the checksum of every file that is still here and was handed over. It is asked for by
 * name only: it takes the target's time. What is no longer here is proven on the target itself, or on a mount of it.
 */
export const nasProof: Proof = {
  name: 'nas',
  describes: 'the copies at sync.target, by checksums computed there',
  byDate: true,
  goesOn: true,
  isHere: () => false,
  prove: async (path, { findings, startProgress, config, date, round, signal }) => {
    let progress: ReturnType<typeof startProgress> | undefined
    let shownBytes = 0
    const reported = { files: 0, bytes: 0, right: 0, wrong: 0, missing: 0, problems: 0 }
    /** Reports what came since it was last called. */
    const report = (proof: TargetProof) => {
      const faults = [
        ...proof.wrong.slice(reported.wrong).map(file => ({ file, code: 'COPY_WRONG', message: 'another content at' })),
        ...proof.missing.slice(reported.missing).map(file => ({ file, code: 'COPY_MISSING', message: 'not at' })),
      ]
      for (const { file, code, message } of faults)
        findings.add({ weight: 'fault', code, path: file, message: `${message} ${proof.target}`, hint: SHIPPED_ANEW })
      for (const { path: file, reason } of proof.problems.slice(reported.problems))
        findings.add({ weight: 'unproven', code: 'COPY_UNKNOWN', path: file, message: reason })
      const now = {
        ...{ files: proof.doneFiles, bytes: proof.doneBytes, right: proof.right },
        ...{ wrong: proof.wrong.length, missing: proof.missing.length },
      }
      for (const key of COUNTS) round.count(key, now[key] - reported[key])
      Object.assign(reported, now, { problems: proof.problems.length })
    }
    const proof = await verifyTarget({
      config: { ...loadConfig(config), dataDir: path },
      signal,
      date,
      isPast: (day, file) => round.isPast(day, file),
      onReached: (proof, day, file) => {
        report(proof)
        round.reached(day, file)
      },
      onProgress: ({ bytes, doneBytes }) => {
        progress ??= startProgress('nas', bytes)
        progress.advance(doneBytes - shownBytes)
        shownBytes = doneBytes
      },
    })
    const before = { files: round.countOf('files'), bytes: round.countOf('bytes') }
    const all = {
      files: before.files - reported.files + proof.files,
      bytes: before.bytes - reported.bytes + proof.bytes,
    }
    report(proof)
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
    }
    const [right, wrong, missing] = (['right', 'wrong', 'missing'] as const).map(key => round.countOf(key))
    return {
      text: `${right} of ${all.files} copies (${sizeText(all.bytes)}) at ${proof.target} are right`,
      facts: { ...all, right: right ?? 0, wrong: wrong ?? 0, missing: missing ?? 0 },
      isWhole: !proof.error && !signal.aborted,
    }
  },
}

import type { OpenElsewhere } from '../../formats/left-open.js'

/** What another recorder has open in this dataDir, in words. Pure. */
export function elsewhereText({ exchange, host, segments, isAlive }: OpenElsewhere): string {
  const what = `${segments} open ${segments === 1 ? 'segment' : 'segments'}`
  return isAlive
    ? `${what} of ${host} (${exchange}), another recorder that is running here`
    : `⚠️ ${what} of ${host} (${exchange}), a recorder that is gone: the next start of a recorder seals them`
}

import { runCompactor, type CompactorOptions } from '../../compactor/main.js'
import type { Summary } from '../../compactor/progress.js'
import { EdgeError } from '../../platform/edge-error.js'
import type { Span } from '../../platform/spans.js'
import { gatherSegments, type Gathered } from './gather-segments.js'

interface MergeOptions extends Pick<CompactorOptions, 'log' | 'onProgress'> {
  /** Settings of the conversion; the segments go to its dataDir, and nothing is shipped from there. */
  config: CompactorOptions['config']
  span: Span
  signal: AbortSignal
  /** Hears how many segments were looked at, and of the end of it. */
  onLooked?: (looked: number, all: number) => void
  onGathered?: () => void
}

/**
 * Gathers the segments of several trees in one, and converts them: each event stands once in its tables.
 * @throws EdgeError MERGE_NOTHING
 */
export async function mergeTrees(
  folders: readonly string[],
  { config, span, log, signal, onLooked, onGathered, onProgress }: MergeOptions,
): Promise<{ gathered: Gathered; compacted: Summary }> {
  const gathered = await gatherSegments(folders, config.dataDir, span, (looked, all) => {
    signal.throwIfAborted()
    onLooked?.(looked, all)
  })
  onGathered?.()
  for (const { message, code, hint } of gathered.faults) log.error({ code, hint }, message)
  if (gathered.segments + gathered.known + gathered.open + gathered.faults.length === 0)
    throw new EdgeError('MERGE_NOTHING', `no segment of that time in ${folders.join(', ')}`, {
      hint: 'edgetape coverage --path FOLDER says what a tree holds',
    })
  const compacted = await runCompactor({ config, log, once: true, signal, ...(onProgress && { onProgress }) })
  return { gathered, compacted }
}

import type { FrameRouter } from './frame-router.js'

/** Channels in one journal entry. */
const CHANNELS_PER_ENTRY = 500

/** Journals what each connection is subscribed to, in entries of a bounded size: `{conn, channels, part, parts}`. */
export function journalSubscriptions(
  connections: readonly { name: string; channels: ReadonlySet<string> }[],
  router: Pick<FrameRouter, 'journal'>,
): void {
  for (const { name, channels } of connections) {
    const sorted = [...channels].sort()
    const parts = Math.ceil(sorted.length / CHANNELS_PER_ENTRY)
    for (let part = 1; part <= parts; part++) {
      const own = sorted.slice((part - 1) * CHANNELS_PER_ENTRY, part * CHANNELS_PER_ENTRY)
      router.journal('subscriptions', { conn: name, channels: own, part, parts })
    }
  }
}

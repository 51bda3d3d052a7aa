import type { Config } from '../../config/schema.js'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { messageOfAlert } from './message.js'
import { ping, receiversOf } from './receivers.js'

interface Tried {
  receiver: string
  /** Why it was not delivered. */
  error?: string
}

/**
 * Sends each receiver a message that says it is a test, and calls the watcher elsewhere once.
 * @throws EdgeError ALERTS_NO_RECEIVER
 */
export async function testAlerts({ alerts, host }: Config, signal: AbortSignal): Promise<Tried[]> {
  const receivers = receiversOf(alerts)
  const { pingFile } = alerts
  if (receivers.length === 0 && pingFile === undefined)
    throw new EdgeError('ALERTS_NO_RECEIVER', 'the config names no receiver of alerts', {
      hint: 'set alerts.ntfyFile, alerts.slackFile, alerts.command or another of docs/alerts.md',
    })
  const said = { key: 'test', text: 'alerts of this recorder reach you', sinceMs: Date.now() }
  const tried = (receiver: string, work: Promise<void>): Promise<Tried> =>
    work.then(
      () => ({ receiver }),
      (error: unknown) => ({ receiver, error: messageOf(error) }),
    )
  return Promise.all([
    ...receivers.map(({ name, send }) =>
      tried(
        name,
        send(messageOfAlert({ ...said, what: 'test' }, host), signal).then(() =>
          // No incident is to stay open for it.
          name === 'pagerduty' ? send(messageOfAlert({ ...said, what: 'cleared' }, host), signal) : undefined,
        ),
      ),
    ),
    ...(pingFile === undefined ? [] : [tried('ping', ping(pingFile, signal))]),
  ])
}

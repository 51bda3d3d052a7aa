import type { AlertMessage } from './message.js'

/** What one service is sent: where, and as which JSON. */
export interface Post {
  url: string
  body: object
}

type Service = (address: URL, message: AlertMessage) => Post

/**
 * How each service wants an alert, by its public format. An address may bear what belongs into the body: Telegram's
 * `chat_id`, PagerDuty's `routing_key`. Texts are cut to what a service takes. Pure.
 */
export const services = {
  webhook: (address, message) => ({ url: address.href, body: message }),
  /** https://api.slack.com/messaging/webhooks; three characters are its markup. */
  slack: (address, { text }) => ({ url: address.href, body: { text: escapedForSlack(text) } }),
  /** https://discord.com/developers/docs/resources/webhook#execute-webhook; nobody is called by a name in the text. */
  discord: (address, { text }) => ({
    url: address.href,
    body: { content: cut(text, 2000), allowed_mentions: { parse: [] } },
  }),
  /** https://core.telegram.org/bots/api#sendmessage */
  telegram: (address, { text, what }) => {
    const [url, chat_id] = without(address, 'chat_id')
    const quiet = what === 'cleared'
    return { url, body: { chat_id, text: cut(text, 4096), disable_notification: quiet } }
  },
  /** https://docs.ntfy.sh/publish/#publish-as-json: to the root of the server, with the topic in the body; it counts bytes. */
  ntfy: (address, { text, what, host, alert }) => {
    const topic = address.pathname.slice(1)
    const isBad = what === 'raised' || what === 'still'
    return {
      url: new URL(`/${address.search}`, address).href,
      body: {
        ...{ topic, title: `edgetape ${host}: ${alert}`, message: cutToBytes(text, 4000) },
        ...{ priority: isBad ? 5 : 3, tags: [isBad ? 'rotating_light' : 'white_check_mark'] },
      },
    }
  },
  /** https://developer.pagerduty.com/docs/send-alert-event: one incident from the alert to its all-clear. */
  pagerduty: (address, { text, what, host, alert, since, run, version }) => {
    const [url, routing_key] = without(address, 'routing_key')
    const payload = {
      ...{ summary: cut(text, 1024), source: host, severity: what === 'test' ? 'info' : 'critical' },
      ...{ component: 'edgetape', class: alert, timestamp: since, custom_details: { run, version } },
    }
    const dedup_key = `edgetape/${host}/${alert}`
    const body =
      what === 'cleared'
        ? { routing_key, event_action: 'resolve', dedup_key }
        : { routing_key, event_action: 'trigger', dedup_key, payload }
    return { url, body }
  },
} satisfies Record<string, Service>

export type ServiceName = keyof typeof services

function escapedForSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function cut(text: string, length: number): string {
  // Half of a character that takes two is none.
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

function cutToBytes(text: string, bytes: number): string {
  const spelled = Buffer.from(text)
  if (spelled.length <= bytes) return text
  return `${spelled.toString('utf8', 0, bytes - Buffer.byteLength('…')).replace(/\ufffd+$/, '')}…`
}

/** An address without a member of its query, and that member. */
function without(address: URL, name: string): [url: string, value: string] {
  const url = new URL(address)
  url.searchParams.delete(name)
  return [url.href, address.searchParams.get(name) ?? '']
}

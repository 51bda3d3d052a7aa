import type { Json } from '../../../../simulator/json.js'
import { isRaw } from '../channels.js'
import { invalidParam, RpcError, rpcError } from '../rpc-error.js'
import type { Session } from '../session.js'
import { ordinary, type Call as CallOf, type Method, type Methods, type Venue } from './method.js'

type Call = CallOf<Venue>

/** Channels in one subscribe call. */
const MAX_CHANNELS_PER_CALL = 500

function sessionOf({ session }: Call): Session {
  if (!session) throw rpcError(10030)
  return session
}

function subscribe(call: Call): Json {
  const { exchange, params } = call
  const session = sessionOf(call)
  const asked = params.list('channels')
  if (asked.length > MAX_CHANNELS_PER_CALL) {
    throw invalidParam(`too many channels, at most ${MAX_CHANNELS_PER_CALL}`, 'channels')
  }
  const ordered = exchange.faults.subscribeError()
  if (ordered) throw new RpcError(ordered.code, ordered.message, ordered.data)
  // One raw channel without login fails the whole call: nothing of it is subscribed.
  if (session.login === undefined && !exchange.rawForAll && asked.some(isRaw)) throw rpcError(13778)
  const accepted = [...new Set(asked)].filter(channel => exchange.accepts(channel) && !exchange.faults.refuses(channel))
  const fresh = accepted.filter(channel => !session.channels.has(channel))
  for (const channel of fresh) session.channels.add(channel)
  // Who is subscribed already gets an answer that says so, and no second snapshot.
  call.after(() => {
    for (const channel of fresh) if (session.channels.has(channel)) session.subscribe(channel)
    exchange.subscribed(session)
  })
  // Captured answers are in falling order, whatever the call's was.
  return accepted.sort((a, b) => (a < b ? 1 : -1))
}

function unsubscribe(call: Call): Json {
  const session = sessionOf(call)
  return call.params.list('channels').filter(channel => session.unsubscribe(channel))
}

function unsubscribeAll(call: Call): Json {
  const session = sessionOf(call)
  for (const channel of [...session.channels]) session.unsubscribe(channel)
  return 'ok'
}

const MIN_HEARTBEAT_S = 10
const MAX_HEARTBEAT_S = 3600

function setHeartbeat(call: Call): Json {
  const session = sessionOf(call)
  session.heartbeat.start(call.params.bounded('interval', MIN_HEARTBEAT_S, MAX_HEARTBEAT_S, 0))
  return 'ok'
}

function disableHeartbeat(call: Call): Json {
  sessionOf(call).heartbeat.stop()
  return 'ok'
}

function hello({ exchange, params }: Call): Json {
  params.text('client_name')
  params.text('client_version')
  return { version: exchange.version }
}

function test({ exchange, params, session }: Call): Json {
  if (params.optionalText('expected_result') === 'exception') throw rpcError(10001, 'expected exception')
  session?.heartbeat.answered()
  return { version: exchange.version }
}

function auth({ exchange, params, session }: Call): Json {
  const { clientId, result } = exchange.logins.authenticate(params)
  if (session) session.login = clientId
  return result
}

const onWebSocket = (run: (call: Call) => Json, more: Partial<Method<Venue>> = {}): Method<Venue> => ({
  pool: 'ordinary',
  webSocketOnly: true,
  run,
  ...more,
})

/** Methods about the connection itself. */
export const sessionMethods: Methods<Venue> = {
  'public/subscribe': onWebSocket(subscribe, { pool: 'subscribe' }),
  'private/subscribe': onWebSocket(subscribe, { pool: 'subscribe', login: true }),
  'public/unsubscribe': onWebSocket(unsubscribe),
  'private/unsubscribe': onWebSocket(unsubscribe, { login: true }),
  'public/unsubscribe_all': onWebSocket(unsubscribeAll),
  'private/unsubscribe_all': onWebSocket(unsubscribeAll, { login: true }),
  'public/set_heartbeat': onWebSocket(setHeartbeat),
  'public/disable_heartbeat': onWebSocket(disableHeartbeat),
  'public/hello': onWebSocket(hello),
  'public/auth': ordinary(auth),
  'public/test': ordinary(test),
  'public/get_time': ordinary<Venue>(({ exchange }) => exchange.clock.nowMs()),
  'public/status': ordinary(() => ({ locked: 'false' })),
}

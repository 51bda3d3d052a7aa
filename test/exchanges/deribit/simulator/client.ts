import { once } from 'node:events'
import { WebSocket } from '../../../../platform/web-socket.js'
import type { Json } from '../../../../simulator/json.js'

export type Fields = Record<string, Json>

export interface Answer {
  jsonrpc: string
  id?: string | number
  result?: Json
  error?: { code: number; message: string; data?: Json }
  usIn: number
  usOut: number
  usDiff: number
  testnet: boolean
}

export interface Notification {
  channel: string
  data: Json
  text: string
}

interface Envelope extends Answer {
  method?: string
  params?: { channel: string; data: Json; type?: string }
}

/** A value as text. */
export function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

const WAIT_MS = 20_000
const POLL_MS = 5

/** A client that keeps everything it hears, for assertions. */
export class TestClient {
  readonly notifications: Notification[] = []
  readonly heartbeats: string[] = []
  readonly texts: string[] = []
  /** Answers that carry no id. */
  readonly strays: Answer[] = []
  closed: { code: number; reason: string } | undefined
  /** Answer every test_request. */
  answerHeartbeats = false
  private readonly answers = new Map<string | number, Answer>()
  private nextId = 1_000

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer, binary) => {
      const text = data.toString('utf8')
      this.texts.push(text)
      if (!binary) this.hear(text)
    })
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }))
    socket.on('error', () => undefined)
  }

  static async connect(url: string, options: { perMessageDeflate?: boolean } = {}): Promise<TestClient> {
    // Compression is by far the dearest part of a small frame, and is tested where it matters.
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options })
    const client = new TestClient(socket)
    await once(socket, 'open')
    return client
  }

  private hear(text: string): void {
    let message: Envelope
    try {
      message = JSON.parse(text) as Envelope
    } catch {
      return
    }
    if (message.method === 'heartbeat') {
      this.heartbeats.push(message.params?.type ?? '')
      if (this.answerHeartbeats && message.params?.type === 'test_request') void this.call('public/test')
    } else if (message.params) this.notifications.push({ ...message.params, text })
    else if (message.id === undefined) this.strays.push(message)
    else this.answers.set(message.id, message)
  }

  async call(method: string, params?: object, id: string | number = this.nextId++): Promise<Answer> {
    this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return this.until(() => this.answers.get(id))
  }

  async subscribe(...channels: string[]): Promise<Json> {
    return (await this.call('public/subscribe', { channels })).result ?? null
  }

  of(channel: string): Fields[] {
    return this.notifications.filter(note => note.channel === channel).map(({ data }) => data as Fields)
  }

  /** Rows of all trades frames of a channel. */
  rows(channel: string): Fields[] {
    return this.notifications.filter(note => note.channel === channel).flatMap(({ data }) => data as Fields[])
  }

  /** Polls until `probe` gives something. */
  async until<T>(probe: () => T | undefined | false, waitMs = WAIT_MS): Promise<T> {
    const endMs = Date.now() + waitMs
    for (;;) {
      const found = probe()
      if (found !== undefined && found !== false) return found
      if (Date.now() > endMs) throw new Error(`waited ${waitMs} ms in vain for ${probe.toString()}`)
      await new Promise(resolve => setTimeout(resolve, POLL_MS))
    }
  }

  close(): void {
    this.socket.terminate()
  }
}

/** The result of an HTTP GET; the status must be 200. */
export async function get(
  httpUrl: string,
  method: string,
  params: Record<string, string | number> = {},
): Promise<Json> {
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(params)) query.set(key, String(value))
  const response = await fetch(`${httpUrl}/public/${method}?${query.toString()}`)
  const body = (await response.json()) as Answer
  if (!response.ok) throw new Error(`${method}: ${response.status} ${JSON.stringify(body)}`)
  return body.result ?? null
}

export const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

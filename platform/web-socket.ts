import { createRequire } from 'node:module'
import type { WebSocket as Client, WebSocketServer as Server } from 'ws'

type Library = Pick<typeof import('ws'), 'WebSocket' | 'WebSocketServer'>

/** It is CommonJS, and `import` would read its files once more for the names that they export: 45 ms of CPU at each start. */
export const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('ws') as Library
export type WebSocket = Client
export type WebSocketServer = Server

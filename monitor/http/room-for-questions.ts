import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Keeps room for whoever asks: beyond `max` connections the one that has asked nothing for longest is closed, which is
 * the newest only where all others are being answered.
 */
export function keepRoomForQuestions(server: Server, max: number): void {
  const open = new Set<Socket>()
  /** Of those, the ones that no answer is being made for, the longest first. */
  const idle = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    idle.add(socket)
    socket.once('close', () => {
      open.delete(socket)
      idle.delete(socket)
    })
    const [longest] = idle
    if (open.size > max && longest) {
      open.delete(longest)
      idle.delete(longest)
      longest.destroy()
    }
  })
  server.on('request', ({ socket }, response) => {
    idle.delete(socket)
    response.once('close', () => {
      if (open.has(socket)) idle.add(socket)
    })
  })
}

/** Measured on the live service with an interval of 10 s: 12.0-12.6 s to the first request, then 10.6-10.7 s. */
const FIRST_AFTER = 1.22
const THEN_AFTER = 1.065
/** An unanswered test_request ends the connection after this. */
const ANSWER_WITHIN_MS = 10_000

export interface HeartbeatPeer {
  send(type: 'heartbeat' | 'test_request'): void
  /** True when nothing was sent to the client for `ms`. */
  quietFor(ms: number): boolean
  /** The client did not answer in time. */
  expire(): void
}

/** The heartbeat of one session: asks in a rhythm, and gives up on a client that does not answer. */
export class Heartbeat {
  private askTimer: NodeJS.Timeout | undefined
  private answerTimer: NodeJS.Timeout | undefined

  /** `timeScale` shortens every time, for tests: 0.01 makes 10 s of it 100 ms. */
  constructor(
    private readonly peer: HeartbeatPeer,
    private readonly timeScale: number,
  ) {}

  get running(): boolean {
    return this.askTimer !== undefined
  }

  start(intervalSeconds: number): void {
    this.stop()
    const intervalMs = intervalSeconds * 1000 * this.timeScale
    this.schedule(intervalMs * FIRST_AFTER, intervalMs)
  }

  stop(): void {
    clearTimeout(this.askTimer)
    clearTimeout(this.answerTimer)
    this.askTimer = this.answerTimer = undefined
  }

  /** The client called public/test. */
  answered(): void {
    clearTimeout(this.answerTimer)
    this.answerTimer = undefined
  }

  private schedule(afterMs: number, intervalMs: number): void {
    this.askTimer = setTimeout(() => {
      // A busy socket is asked, an idle one gets a heartbeat, too.
      if (this.peer.quietFor(intervalMs)) this.peer.send('heartbeat')
      this.peer.send('test_request')
      this.answerTimer ??= setTimeout(() => {
        this.stop()
        this.peer.expire()
      }, ANSWER_WITHIN_MS * this.timeScale)
      this.schedule(intervalMs * THEN_AFTER, intervalMs)
    }, afterMs)
  }
}

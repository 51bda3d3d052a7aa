import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../platform/edge-error.js'
import { assignChannels, type Assignment } from './assign-channels.js'
import { reconnectDelayMs } from './backoff.js'
import { Connection, type ConnectionDeps } from './connection.js'
import type { ChannelPlan } from './exchange.js'
import { FrameCounter } from './tape.js'

export interface FleetOptions {
  channelsPerConnection: number
  redundancy: number
  rediscoverMs: number
}

/** Keeps as many connections as the plan needs, and the plan up to date. */
export class Fleet {
  readonly #deps: ConnectionDeps
  readonly #options: FleetOptions
  readonly #answers = new FrameCounter('http')
  readonly connections: Connection[] = []
  readonly #running: Promise<void>[] = []
  #assignment: Assignment = []
  #plannedChannels = 0

  constructor(deps: ConnectionDeps, options: FleetOptions) {
    this.#deps = deps
    this.#options = options
  }

  get plannedChannels(): number {
    return this.#plannedChannels
  }

  /** Discovers, connects and keeps both current until `signal` aborts; resolves when all sockets are closed. */
  async run(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted;) {
      const plan = await this.#discover(signal)
      failures = plan ? 0 : failures + 1
      if (plan) this.#apply(plan, signal)
      // Without any plan nothing is recorded at all: that is tried again soon, a failed refresh with more patience.
      const waitMs = failures > 0 ? reconnectDelayMs(failures, this.#deps.random()) : this.#options.rediscoverMs
      await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
    await Promise.all(this.#running)
  }

  async #discover(signal: AbortSignal): Promise<ChannelPlan | undefined> {
    const { exchange, tape, clock, log } = this.#deps
    try {
      const plan = await exchange.discover(
        (family, answer) => tape.take(family, this.#answers, clock.nowUs(), answer),
        signal,
      )
      if (plan.size > 0) return plan
      tape.journal('discovery_failed', { message: 'nothing to subscribe for this config' })
      log.error('the exchange lists nothing that this config asks for; check exchange.currencies and exchange.channels')
    } catch (error) {
      if (signal.aborted) return undefined
      tape.journal('discovery_failed', { message: messageOf(error) })
      log.warn({ err: messageOf(error) }, 'cannot list instruments, trying again')
    }
    return undefined
  }

  #apply(plan: ChannelPlan, signal: AbortSignal): void {
    const { tape, log } = this.#deps
    const { channelsPerConnection, redundancy } = this.#options
    this.#assignment = assignChannels(plan, this.#assignment, channelsPerConnection, redundancy)
    if (plan.size !== this.#plannedChannels) {
      tape.journal('planned', { channels: plan.size, connections: this.#assignment.length })
      log.info({ channels: plan.size, connections: this.#assignment.length }, 'planned')
    }
    this.#plannedChannels = plan.size
    for (const connection of this.connections) {
      connection
        .update()
        .catch((error: unknown) =>
          log.warn({ conn: connection.name, err: messageOf(error) }, 'subscriptions not updated'),
        )
    }
    while (this.connections.length < this.#assignment.length) this.#add(signal)
  }

  #add(signal: AbortSignal): void {
    const index = this.connections.length
    const connection = new Connection(`d${index + 1}`, this.#deps, () => this.#assignment[index] ?? new Set())
    this.connections.push(connection)
    this.#running.push(connection.run(signal))
  }
}

/** What a simulated exchange must know to speak over the simulated market. */

import type { Protocol } from '../simulator/protocol.js'
import type { ReplayProtocol } from '../simulator/replay.js'

/** Who may log in. */
export interface Credential {
  clientId: string
  clientSecret: string
}

export interface Simulation {
  readonly protocol: (options: { credentials: readonly Credential[] }) => Protocol
  readonly replay: ReplayProtocol
}

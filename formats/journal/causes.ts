/** Why a connection ended that the recorder closed on its own way out. */
export const STOPPING = 'stopping'

/** How the cause begins where another connection had taken its place. */
export const RENEWED = 'renewed'

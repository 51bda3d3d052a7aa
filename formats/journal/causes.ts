/** Why a connection ended that the recorder closed on its own way out. */
export const STOPPING = 'stopping'

/** How the cause begins where another connection had taken its place. */
export const RENEWED = 'renewed'

/** Why subscriptions ended that were imported: nobody says what came behind them. */
export const IMPORTED = 'the end of what was imported'

/** Of a recorder that is gone, as far as is known: whoever knows what came later has a better word. */
export const NOTHING_LATER = 'nothing was recorded later'

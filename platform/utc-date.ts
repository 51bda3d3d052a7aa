/** The date of a moment, UTC: `YYYY-MM-DD`. */
export const dateOf = (ms: number) => new Date(ms).toISOString().slice(0, 10)

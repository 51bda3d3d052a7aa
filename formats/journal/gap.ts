/** One entry of the journal. */
export interface JournalEntry {
  host: string
  run: string
  recvUs: number
  event: string
  detail: Readonly<Record<string, unknown>>
}

/** A span in which frames are missing or may be. */
export interface Gap {
  /** The journal's word for it; `outage` for one that lasts, `not recording` where no recorder ran. */
  kind: 'gap' | 'outage' | 'not recording' | 'lost' | 'silent' | 'trade_hole' | 'book_break'
  fromUs: number
  /** Undefined as long as it lasts. */
  toUs: number | undefined
  host: string
  conn: string | undefined
  /** Connections that were to bring the same, and did not either. */
  also?: readonly string[]
  /** Where it is about one instrument alone. */
  instrument: string | undefined
  cause: string
  /** Empty: all. */
  families: readonly string[]
  /** Whether what was missing came after all; undefined where nothing can bring it. */
  healed: boolean | undefined
}

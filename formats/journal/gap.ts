/** A span of which the journal says something that bears on what is there. */
export interface JournalSpan {
  /**
   * The journal's word for it; `outage` for one that lasts, `not recording` where no recorder ran, `unreadable` for a segment
   * that held nothing, `standstill` where the recorder itself did not run, `not_whole` where frames came in pieces. In
   * `covered`, `paused`, `standstill` and `clock_step` nothing is missing by that alone.
   */
  kind:
    | 'gap'
    | 'outage'
    | 'not recording'
    | 'lost'
    | 'silent'
    | 'trade_hole'
    | 'book_break'
    | 'unreadable'
    | 'not_whole'
    | 'covered'
    | 'paused'
    | 'standstill'
    | 'clock_step'
  fromUs: number
  /** Undefined as long as it lasts. */
  toUs: number | undefined
  /** Of which exchange's recorder. */
  exchange: string
  host: string
  conn: string | undefined
  /** Connections that were to bring the same, and did not either. */
  also: readonly string[]
  /** Where it is about one instrument alone. */
  instrument: string | undefined
  /** Where it is about one channel alone. */
  channel: string | undefined
  cause: string
  /** Empty: all. */
  families: readonly string[]
  /** Whether what was missing came after all; undefined where nothing can bring it. */
  healed: boolean | undefined
  /** It is asked for, and nobody knows yet whether it can be had. */
  pending?: true
  /** Of trades: how many are missing, as far as their numbers say. */
  count?: number
}

/** A span in which frames are missing or may be. */
export interface Gap extends JournalSpan {
  kind: Exclude<JournalSpan['kind'], 'covered' | 'paused' | 'standstill' | 'clock_step'>
}

export const isGap = (span: JournalSpan): span is Gap =>
  !['covered', 'paused', 'standstill', 'clock_step'].includes(span.kind)

/** How the data of rows are wrapped in frames: what an exchange says of its protocol to whoever makes rows of lines. */

/** Type of each member of a payload, as DuckDB's `from_json` takes it; one element in an array means a list of such. */
export type Shape = string | readonly [Shape] | { readonly [member: string]: Shape }

/** What stands around the data of a frame, in SQL on a line and what was parsed of it (`line`, `received`, `keys`). */
export interface Envelope {
  /** Where the data are, below the frame: `params.data`. */
  readonly at: string
  /** The same as an expression. */
  readonly data: string
  /** The exchange sent it by itself: a copy of it that another connection received is the same event. */
  readonly isPush?: true
  /**
   * Members of the data that hold a text, by their names in rows, as they are spelled in lines: where SQL, which does not
   * distinguish capitals, cannot hold them. What is kept is the line.
   */
  readonly respelled?: Readonly<Record<string, string>>
  /** Objects whose keys are to be known, as JSON paths in a line. */
  readonly keyPaths: readonly string[]
  /** Members besides the data, to be parsed. */
  readonly members: Readonly<Record<string, Shape>>
  /** Condition for a line whose frame has this form, whatever its data; without it: where there are data of the wanted kind. */
  readonly isThere?: string
  /** Condition, and reason, for a frame that is not of this kind. */
  readonly isMissing: string
  readonly missing: string
  /** Condition for a frame that says why there are no data; it is kept among other frames. */
  readonly isRefusal: string
  /** Condition for an envelope that says more than that it is one. */
  readonly isOdd: string
  /** Merge patch that leaves only what is said besides the data. */
  readonly without: string
  /** What it says besides that rows need, as an expression for a struct: the query of a table knows it as `envelope`. */
  readonly fields?: string
  /** The channel, and the id that says what was asked: expressions for text; `own_family()` is the family of the segment. */
  readonly channel: string
  readonly asked: string
  /** For a short way to rows: condition for the form that nearly all frames have, and how many members that form has. */
  readonly usual?: { readonly condition: string; readonly members: number }
}

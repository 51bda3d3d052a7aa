/** What a text of SQL holds. */
export interface Statements {
  /** Each without its semicolon; those that are only comments are left out. */
  whole: string[]
  /** What follows the last semicolon. */
  rest: string
}

/**
 * A text in quotes, a quoted name, a text between dollars, a comment: in none of them does a semicolon end anything. As
 * DuckDB's own scanner has it: a text with E before it has escapes, and a name may hold dollars.
 */
const PIECE =
  /E'(?:[^'\\]|\\[^]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|(\$(?:[A-Z_\u0080-\uffff][\w\u0080-\uffff]*)?\$)[^]*?(?:\1|$)|[A-Z_\u0080-\uffff][\w$\u0080-\uffff]*|--[^\n]*|\/\*|;|\s+|[^]/giy

/** Takes a text of SQL apart at the semicolons that end statements. */
export function splitStatements(sql: string): Statements {
  const whole: string[] = []
  let from = 0
  let isBlank = true
  for (let at = 0; at < sql.length;) {
    PIECE.lastIndex = at
    const [piece = ''] = PIECE.exec(sql) ?? []
    const end = piece === '/*' ? endOfComment(sql, at) : at + piece.length
    if (piece === ';') {
      if (!isBlank) whole.push(sql.slice(from, at).trim())
      from = end
      isBlank = true
    } else if (piece !== '/*' && !piece.startsWith('--') && piece.trim() !== '') isBlank = false
    at = end
  }
  return { whole, rest: isBlank ? '' : sql.slice(from).trim() }
}

const COMMENT_ENDS = /\/\*|\*\//g

/** Comments may stand in comments. */
function endOfComment(sql: string, at: number): number {
  COMMENT_ENDS.lastIndex = at
  let depth = 0
  for (let found = COMMENT_ENDS.exec(sql); found; found = COMMENT_ENDS.exec(sql)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return COMMENT_ENDS.lastIndex
  }
  return sql.length
}

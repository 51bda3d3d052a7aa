/** What a text of SQL holds. */
export interface Statements {
  /** Each without its semicolon; those that are only comments are left out. */
  whole: string[]
  /** What follows the last semicolon. */
  rest: string
}

/** A text in quotes, a quoted name, a text between dollars, a comment: in none of them does a semicolon end anything. */
const PIECE =
  /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|(\$\w*\$)[^]*?(?:\1|$)|--[^\n]*|\/\*[^]*?(?:\*\/|$)|;|[^'"$\-/;]+|[^]/g
const COMMENTS = /--[^\n]*|\/\*[^]*?(?:\*\/|$)/g

/** Takes a text of SQL apart at the semicolons that end statements. */
export function splitStatements(sql: string): Statements {
  const whole: string[] = []
  let statement = ''
  for (const [piece] of sql.matchAll(PIECE)) {
    if (piece === ';') {
      if (!isBlank(statement)) whole.push(statement.trim())
      statement = ''
    } else statement += piece
  }
  return { whole, rest: isBlank(statement) ? '' : statement.trim() }
}

const isBlank = (sql: string) => sql.replace(COMMENTS, '').trim() === ''

import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { printAnswer } from './print-answer.js'
import type { QuerySession } from '../../reader/query/session.js'
import { splitStatements } from '../../reader/query/statements.js'

const HELP = `statements end with a semicolon and may be several lines; views are refreshed for each
.tables   names of all tables
.views    ready views, the question each answers, and an example
.help     this
.quit     the end, as Ctrl-D`

/** Asks for statements until the input ends. What goes wrong is told, and the next one asked for. */
export async function prompt(session: QuerySession, input: Readable, out: Writable, say: Writable): Promise<void> {
  const isTerminal = 'isTTY' in input && input.isTTY === true
  const reader = createInterface({ input, output: say, terminal: isTerminal, prompt: 'edgetape> ' })
  const ask = (open: boolean) => {
    if (!isTerminal) return
    reader.setPrompt(open ? '     ...> ' : 'edgetape> ')
    reader.prompt()
  }
  const tell = (text: string) => say.write(`${text}\n`)
  if (isTerminal) tell('SQL over your data; .help says more')
  ask(false)
  let text = ''
  for await (const line of reader) {
    const command = text === '' ? line.trim() : ''
    if (command === '.quit' || command === '.exit') break
    if (command === '.help') tell(HELP)
    else if (command === '.tables') tell(session.tables.join('\n'))
    else if (command === '.views')
      tell(session.readyViews.map(({ question, example }) => `${question}\n  ${example};`).join('\n'))
    else if (command.startsWith('.')) tell(`there is no ${command}; .help lists what there is`)
    else {
      const { whole, rest } = splitStatements(`${text}${line}\n`)
      for (const statement of whole) await answer(session, statement, out, tell)
      text = rest === '' ? '' : `${rest}\n`
    }
    ask(text !== '')
  }
  reader.close()
  if (text !== '') await answer(session, text, out, tell)
}

async function answer(session: QuerySession, sql: string, out: Writable, tell: (text: string) => void): Promise<void> {
  try {
    await printAnswer(session, sql, 'table', out)
  } catch (error) {
    if (!(error instanceof EdgeError)) throw error
    tell(messageOf(error))
    if (error.hint !== undefined) tell(`hint: ${error.hint}`)
  }
}

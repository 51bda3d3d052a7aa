import { createInterface } from 'node:readline/promises'
import type { Readable, Writable } from 'node:stream'
import { EdgeError, messageOf } from '../../platform/edge-error.js'
import { HISTORY_MAX, keepHistory, readHistory } from '../../reader/query/history-file.js'
import { completed } from '../../reader/query/name-completion.js'
import type { QuerySession } from '../../reader/query/session.js'
import { splitStatements } from '../../reader/query/statements.js'
import { viewLines, viewText } from '../../reader/query/view-text.js'
import { printAnswer } from './print-answer.js'

const HELP = `statements end with a semicolon and may be several lines; views are refreshed for each
.tables       names of all tables
.views        ready views and views over all exchanges, a line each
.views NAME   its question and columns, with an example that finds something here
.help         this
.quit         the end, as Ctrl-D
Tab completes names, Ctrl-C cancels a statement, arrows bring back what was typed`

const COMMANDS = ['.tables', '.views', '.help', '.quit']
/** A statement that was interrupted may not have begun its next step: it is interrupted again. */
const INTERRUPT_EVERY_MS = 100

interface Prompt {
  session: QuerySession
  /** What the session reads. */
  root: string
  input: Readable
  out: Writable
  say: Writable
  /** Where what is typed on a terminal is kept. */
  historyPath: string
}

/** Asks for statements until the input ends. Errors are printed, and the next one asked for. */
export async function prompt({ session, root, input, out, say, historyPath }: Prompt): Promise<void> {
  const isTerminal = 'isTTY' in input && input.isTTY === true
  const print = (text: string) => say.write(`${text}\n`)
  const reader = createInterface({
    ...{ input, output: say, terminal: isTerminal, prompt: 'edgetape> ' },
    ...(isTerminal && { history: readHistory(historyPath), historySize: HISTORY_MAX, removeHistoryDuplicates: true }),
    completer: (line: string) => completed(line, session, COMMANDS),
  })
  let isKept = isTerminal
  reader.on('history', (lines: string[]) => {
    const refusal = isKept ? keepHistory(historyPath, lines) : undefined
    if (refusal === undefined) return
    isKept = false
    print(`what is typed is not kept: ${refusal}`)
  })
  const ask = (open: boolean) => {
    if (!isTerminal) return
    reader.setPrompt(open ? '     ...> ' : 'edgetape> ')
    reader.prompt()
  }
  let text = ''
  const state = { isRunning: false, isCancelled: false }
  reader.on('SIGINT', () => {
    if (state.isRunning) {
      state.isCancelled = true
      session.connection.interrupt()
      return
    }
    // As shells do: what is half typed is left, and asked for anew.
    text = ''
    reader.write(null, { ctrl: true, name: 'e' })
    reader.write(null, { ctrl: true, name: 'u' })
    print('^C')
    ask(false)
  })
  const answer = async (sql: string) => {
    Object.assign(state, { isRunning: true, isCancelled: false })
    const timer = setInterval(() => {
      if (state.isCancelled) session.connection.interrupt()
    }, INTERRUPT_EVERY_MS)
    try {
      await printAnswer(session, sql, 'table', out)
    } catch (error) {
      if (!(error instanceof EdgeError)) throw error
      print(state.isCancelled ? 'cancelled' : messageOf(error))
      if (!state.isCancelled && error.hint !== undefined) print(`hint: ${error.hint}`)
    } finally {
      clearInterval(timer)
      state.isRunning = false
    }
  }
  if (isTerminal) print('SQL over your data; .help says more')
  ask(false)
  for await (const line of reader) {
    const [command = '', about] = text === '' ? line.trim().split(/\s+/) : []
    if (command === '.quit' || command === '.exit') break
    if (command === '.help') print(HELP)
    else if (command === '.tables') print(session.tables.join('\n'))
    else if (command === '.views')
      print(about === undefined ? viewLines(session) : await viewText(session, root, about))
    else if (command.startsWith('.')) print(`there is no ${command}; .help lists what there is`)
    else {
      const { whole, rest } = splitStatements(`${text}${line}\n`)
      for (const statement of whole) await answer(statement)
      text = rest === '' ? '' : `${rest}\n`
    }
    ask(text !== '')
  }
  reader.close()
  if (text !== '') await answer(text)
}

import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { EdgeError, hasErrno, messageOf } from '../platform/edge-error.js'
import type { Format } from './query/print-answer.js'
import type { QuerySession } from '../reader/query/session.js'
import { withConfig, type ConfigOption } from './config-option.js'
import { exitCodes, type ExitCode } from './exit-codes.js'
import type { WindowOptions } from './window-option.js'

interface QueryOptions extends ConfigOption, WindowOptions {
  path?: string
  file?: string
  format?: string
  out?: string
  json?: boolean
  fresh: boolean
}

export function queryCommand(): Command {
  return withConfig(
    new Command('query')
      .description('SQL over the recording, up to the last second, with DuckDB: a view for each table')
      .argument('[sql]', 'e.g. "SELECT kind, count(*) FROM trades GROUP BY kind"; without it, a prompt')
      .option('--file <file>', 'read the SQL from a file; the answer of its last statement counts')
      .option('--path <folder>', 'a dataDir or its copy on the NAS; needs no config file')
      .option('--date <date>', 'only rows of this day (UTC), e.g. 2026-11-22')
      .option('--from <time>', 'only rows received at this time or later, e.g. 2026-11-22T14:00 (UTC)')
      .option('--to <time>', '… and before this time')
      .option('--format <name>', 'table, csv, json (an object a line) or parquet')
      .option('--out <file>', 'write the answer to a file; its ending says the format')
      .option('--json', 'the same as --format json')
      .option('--no-fresh', 'only what is in Parquet already: faster where much is not'),
  ).action(query)
}

async function query(sql: string | undefined, options: QueryOptions): Promise<void> {
  const [{ QuerySession }, { freshSettings }, { withinDay, withinSpan }, { askedWindow }, { formatOf }] =
    await Promise.all([
      import('../reader/query/session.js'),
      import('../reader/query/fresh-settings.js'),
      import('../reader/query/within.js'),
      import('./window-option.js'),
      import('./query/print-answer.js'),
    ])
  const { out } = options
  const asked = askedWindow(options, 'QUERY_OPTIONS')
  const format = formatOf(options.json ? 'json' : options.format, out)
  const text = textOf(sql, options.file)
  const { root, fresh } = freshSettings(options.path, options.config)
  const session = await QuerySession.open({
    root,
    fresh: options.fresh ? fresh : undefined,
    within: asked && ('date' in asked ? withinDay(asked.date) : withinSpan(asked.span)),
    note: text => process.stderr.write(`edgetape: ${text}\n`),
    leftOut: ({ message, hint }) => {
      process.exitCode = exitCodes.failure
      process.stderr.write(
        `edgetape: ${message}; its rows are in no answer\n${hint === undefined ? '' : `hint: ${hint}\n`}`,
      )
    },
  })
  // Whatever ends the process, nothing stays in the folder for temporary files.
  process.once('exit', () => session.clear())
  const endWith = (code: ExitCode) => () => {
    // An exit waits for the threads, and a statement may go on for hours.
    session.connection.interrupt()
    process.exit(code)
  }
  process.once('SIGINT', endWith(exitCodes.interrupted))
  process.once('SIGTERM', endWith(exitCodes.terminated))
  process.once('SIGHUP', endWith(exitCodes.hangup))
  if (text === undefined) {
    const [{ prompt }, { historyPath }] = await Promise.all([
      import('./query/prompt.js'),
      import('../reader/query/history-file.js'),
    ])
    const streams = { input: process.stdin, out: process.stdout, say: process.stderr }
    await prompt({ session, root, ...streams, historyPath: historyPath() })
  } else await answer(session, text, format, out)
  session.connection.closeSync()
}

async function answer(session: QuerySession, text: string, format: Format, out: string | undefined): Promise<void> {
  const [{ printAnswer, writeAnswer }, { splitStatements }] = await Promise.all([
    import('./query/print-answer.js'),
    import('../reader/query/statements.js'),
  ])
  const { whole, rest } = splitStatements(text)
  const statements = rest === '' ? whole : [...whole, rest]
  const last = statements.pop()
  if (last === undefined) throw new EdgeError('QUERY_MISSING', 'found no statement, wanted SQL')
  for (const statement of statements) await session.ask(statement, connection => connection.run(statement))
  if (out === undefined) await printAnswer(session, last, format, process.stdout)
  else await writeAnswer(session, last, format, out)
}

/** The SQL; undefined where a person is to be asked for it. */
function textOf(sql: string | undefined, file: string | undefined): string | undefined {
  if (sql !== undefined && file !== undefined)
    throw new EdgeError('QUERY_MISSING', 'found both SQL and --file, wanted one of them')
  if (file === undefined) return sql
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    if (!hasErrno(cause, 'ENOENT', 'EISDIR', 'EACCES')) throw cause
    throw new EdgeError('QUERY_MISSING', `cannot read ${file}: ${messageOf(cause)}`, { path: file, cause })
  }
}

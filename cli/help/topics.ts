import { exitCodeMeanings, exitCodes } from '../exit-codes.js'

const ENVIRONMENT: readonly (readonly [name: string, meaning: string])[] = [
  ['DERIBIT_CLIENT_ID', 'with the next: the login that raw intervals need'],
  ['DERIBIT_CLIENT_SECRET', 'never in a file of edgetape, never in a log'],
  ['DERIBIT_CLIENT_SECRET_FILE', 'a file with it, in its place'],
  ['EDGETAPE_LOG', 'level of the log on stderr: debug, info (default), warn, error, silent'],
  ['NO_COLOR', 'no colours, and words in place of signs'],
]

/** What `edgetape help` explains besides commands, by name. */
export const topics: Readonly<
  Record<string, { describes: string; text: (words: readonly string[]) => string | Promise<string> }>
> = {
  config: {
    describes: 'every key of the config file',
    text: async ([prefix = '']) => (await import('../../config/keys.js')).configHelp(prefix),
  },
  'exit-codes': { describes: 'how the command ends', text: exitCodesText },
  environment: { describes: 'variables that are heeded', text: () => table('Environment:', ENVIRONMENT) },
}

function exitCodesText(): string {
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[]
  return table(
    'Exit codes:',
    names.map(name => [String(exitCodes[name]), exitCodeMeanings[name]]),
  )
}

function table(title: string, rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, meaning]) => `  ${name.padEnd(width)}  ${meaning}`)].join('\n')
}

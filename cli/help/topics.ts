import { besides } from '../../platform/wrapped.js'
import { exitCodeMeanings, exitCodes } from '../exit-codes.js'

type Rows = readonly (readonly [name: string, meaning: string])[]

const ENVIRONMENT: Rows = [
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
  environment: { describes: 'environment variables', text: environmentText },
}

async function environmentText(): Promise<string> {
  const [{ exchanges }, { fileOf }] = await Promise.all([
    import('../../exchanges/registry.js'),
    import('../../config/secrets.js'),
  ])
  const logins = exchanges.flatMap(({ settings: { login } }): Rows =>
    login
      ? [
          [login.id, `with the next: the login that ${login.meaning} need`],
          [login.secret, 'never in a file of edgetape, never in a log'],
          [fileOf(login.secret), 'a file with it, in its place'],
        ]
      : [],
  )
  return table('Environment:', [...logins, ...ENVIRONMENT])
}

function exitCodesText(): string {
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[]
  return table(
    'Exit codes:',
    names.map(name => [String(exitCodes[name]), exitCodeMeanings[name]]),
  )
}

function table(title: string, rows: Rows): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return [title, ...rows.map(([name, meaning]) => besides(name, meaning, width))].join('\n')
}

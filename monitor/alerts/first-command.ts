/** By the begin of an alert's key. */
const COMMANDS: readonly (readonly [begin: string, command: string])[] = [
  ['gap', 'edgetape coverage'],
  ['quarantine', 'edgetape coverage --count'],
  ['compactor failing', 'edgetape verify raw'],
  ['disk refuses', 'edgetape doctor'],
  ['disk', 'edgetape retention --dry-run'],
  ['archive', 'edgetape verify --repair'],
  ['copies', 'edgetape verify nas'],
  ['not recorded', 'edgetape coverage --by channel'],
  ['memory', 'edgetape status'],
  ...(['recorder', 'compactor', 'syncer', 'monitor'] as const).map(part => [part, 'edgetape status'] as const),
]

/** What to type first about an alert, or about the same on the page: it says more, and what to do. Pure. */
export function firstCommand(key: string): string {
  return COMMANDS.find(([begin]) => key.startsWith(begin))?.[1] ?? 'edgetape doctor'
}

/** Of each command: what to type, and what it does. Shown by `--help`; a test parses each. */
export const examples: Readonly<Record<string, readonly (readonly [command: string, does: string])[]>> = {
  init: [
    ['edgetape init', 'asks a few questions'],
    ['edgetape init --yes --currencies BTC,ETH --target recorder@nas:/volume1/edgetape', 'asks nothing'],
  ],
  doctor: [
    ['edgetape doctor', 'a line for each check, with what to do'],
    ['edgetape doctor --json', 'as JSON; exit code 0 all well, 3 warnings, 1 errors'],
  ],
  record: [['edgetape record --config /etc/edgetape/edgetape.yaml', 'records until SIGTERM']],
  compact: [
    ['edgetape compact --once', 'converts what is sealed now'],
    ['edgetape compact --once --rebuild --date 2026-11-22', 'converts a day again from raw'],
  ],
  sync: [['edgetape sync --once', 'one pass, then a summary']],
  retention: [['edgetape retention --dry-run', 'what would be deleted, and why the rest stays']],
  run: [['edgetape run', 'all programs, each in its own process']],
  status: [
    ['edgetape status --watch', 'refreshed every second'],
    ['edgetape status --json', 'one JSON object'],
  ],
  tail: [
    ['edgetape tail trades --instrument BTC-PERPETUAL', 'frames as JSON lines'],
    ['edgetape tail --table trades --from 10m --format table', 'rows of the last ten minutes, then new ones'],
  ],
  serve: [['edgetape serve', 'http://127.0.0.1:9464/ and /metrics, unless the config says otherwise']],
  alerts: [['edgetape alerts test', 'sends a message to each receiver in the config']],
  report: [
    ['edgetape report --date 2026-11-22', 'writes report-2026-11-22.html, for any browser'],
    ['edgetape report --date 2026-11-22 --path /mnt/nas/edgetape --out day.html', 'the same from a copy'],
  ],
  coverage: [
    ['edgetape coverage --date 2026-11-22', 'one day'],
    ['edgetape coverage --path /mnt/nas/edgetape --markdown', 'a copy, as Markdown'],
    ['edgetape coverage --from 2026-11-22T14:00 --by instrument --json', 'since that hour, each instrument, as JSON'],
  ],
  verify: [
    ['edgetape verify', 'everything that can be checked here'],
    ['edgetape verify raw /mnt/nas/edgetape', 'the segments of a copy'],
    ['edgetape verify nas --date 2026-11-22', 'one day: checksums computed at sync.target'],
    ['edgetape verify bits --for 30', 'looks for bit rot for half an hour; the next run continues there'],
    ['edgetape verify --repair', 'repairs it from the other copy or from raw'],
  ],
  dump: [
    [
      'edgetape dump data/raw --channel trades --from 2026-11-22T14:00 --to 2026-11-22T14:05',
      'frames in order of receive time',
    ],
    ['edgetape dump trades.parquet', 'rows as JSON'],
  ],
  query: [
    ['edgetape query "SELECT kind, count(*) FROM trades GROUP BY kind"', 'every table is a view'],
    ['edgetape query --path /mnt/nas/edgetape --file spread.sql --out spread.csv', 'writes the answer to a file'],
    ['edgetape query --path /mnt/nas/edgetape', 'opens a prompt'],
  ],
  catalog: [
    ['edgetape catalog --path /mnt/nas/edgetape > edgetape.sql', 'for duckdb -init, DBeaver, notebooks'],
    ['edgetape catalog --dialect delta --path /mnt/nas/edgetape --out /mnt/nas/lake', 'finished days as Delta tables'],
    ['edgetape catalog --dialect spark --location s3://bucket/edgetape', 'for a Spark cluster'],
  ],
  book: [
    ['edgetape book BTC-PERPETUAL --at 2026-11-22T14:00:05.25', 'the whole book at that time'],
    [
      'edgetape book BTC-PERPETUAL --every 100 --from 2026-11-22T14:00 --to 2026-11-22T15:00 --out book.parquet',
      'ten rows a second, as Parquet',
    ],
  ],
  replay: [['edgetape replay data --port 8090 --speed 10', 'ten times as fast as recorded']],
  merge: [
    [
      'edgetape merge /mnt/nas/frankfurt /mnt/nas/london --out /mnt/nas/merged',
      'what two recorders received, each event once',
    ],
    ['edgetape merge /mnt/nas/edgetape --out /mnt/nas/merged --from 2026-11-22 --to 2026-11-23', 'one day'],
  ],
  import: [
    ['edgetape import tardis 2026-11-01.ndjson.gz --out data', 'a day of Tardis’ raw lines'],
    [
      'edgetape import raw feed.jsonl --time-field received --time-unit ms --frame-field message',
      'lines that another program wrote',
    ],
  ],
  export: [
    [
      'edgetape export --format tardis-csv --instrument BTC-PERPETUAL --from 2026-11-22 --to 2026-11-23 --out csv',
      'trades, book and quotes of a day',
    ],
    ['edgetape export --format hftbacktest --instrument BTC-PERPETUAL --gaps restart --out npz', 'for a backtest'],
    ['edgetape export --format parquet --view trades --kind option --out trades', 'one table, unchanged'],
  ],
  simulate: [['edgetape simulate --port 8090 --rate 2000', 'prints the URL for exchange.url']],
  demo: [['edgetape demo --seconds 30', 'leaves its files in ./edgetape-demo']],
  completion: [
    ['edgetape completion bash > ~/.local/share/bash-completion/completions/edgetape', 'for bash'],
    ['edgetape completion zsh > ~/.zfunc/_edgetape', 'for zsh, with fpath+=~/.zfunc before compinit'],
    ['edgetape completion fish > ~/.config/fish/completions/edgetape.fish', 'for fish'],
  ],
  help: [
    ['edgetape help sync', 'one command'],
    ['edgetape help config sync', 'config keys below sync; without it, all keys'],
  ],
}

/** The examples of a command as they stand under its help; nothing where it has none. */
export function examplesText(name: string): string {
  const lines = (examples[name] ?? []).flatMap(([command, does]) => [`  $ ${inColumns(command)}`, `      ${does}`])
  return lines.length === 0 ? '' : ['', 'Examples:', ...lines].join('\n')
}

const COLUMNS = 74

/** A command as it can be typed over several lines. Pure. */
function inColumns(command: string): string {
  if (command.length <= COLUMNS) return command
  const at = command.lastIndexOf(' --', COLUMNS)
  const cut = at > 0 ? at : command.lastIndexOf(' ', COLUMNS)
  return `${command.slice(0, cut)} \\\n      ${inColumns(command.slice(cut + 1))}`
}

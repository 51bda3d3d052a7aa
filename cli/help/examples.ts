/** Of each command: what to type, and what it does. Shown by `--help`; a test parses each. */
export const examples: Readonly<Record<string, readonly (readonly [command: string, does: string])[]>> = {
  init: [
    ['edgetape init', 'asks a few questions'],
    ['edgetape init --yes --currencies BTC,ETH --target recorder@nas:/volume1/edgetape', 'asks none'],
  ],
  doctor: [
    ['edgetape doctor', 'a line for each thing, with what to do'],
    ['edgetape doctor --json', 'for programs; exit code 0 all well, 3 warnings, 1 errors'],
  ],
  record: [['edgetape record --config /etc/edgetape/edgetape.yaml', 'until SIGTERM']],
  compact: [
    ['edgetape compact --once', 'what is sealed now'],
    ['edgetape compact --once --rebuild --date 2026-11-22', 'a day again from raw'],
  ],
  sync: [['edgetape sync --once', 'one pass, then a summary']],
  retention: [['edgetape retention --dry-run', 'what would be deleted, and why the rest stays']],
  run: [['edgetape run', 'all parts, each a process of its own']],
  status: [
    ['edgetape status --watch', 'refreshed every second'],
    ['edgetape status --json', 'for programs'],
  ],
  tail: [
    ['edgetape tail trades --instrument BTC-PERPETUAL', 'frames, as JSON lines'],
    ['edgetape tail --table trades --from 10m --format table', 'rows, from ten minutes ago on'],
  ],
  serve: [['edgetape serve', 'http://127.0.0.1:9464/ and /metrics, unless the config says otherwise']],
  alerts: [['edgetape alerts test', 'a message to each receiver of the config, now']],
  report: [
    ['edgetape report --date 2026-11-22', 'report-2026-11-22.html, for any browser'],
    ['edgetape report --date 2026-11-22 --path /mnt/nas/edgetape --out day.html', 'of a copy'],
  ],
  coverage: [
    ['edgetape coverage --date 2026-11-22', 'one day'],
    ['edgetape coverage --path /mnt/nas/edgetape --markdown', 'of a copy, for a document'],
    ['edgetape coverage --from 2026-11-22T14:00 --by instrument --json', 'since then, for a program'],
  ],
  verify: [
    ['edgetape verify', 'all that can be proven here'],
    ['edgetape verify raw /mnt/nas/edgetape', 'the segments of a copy'],
    ['edgetape verify nas --date 2026-11-22', 'checksums computed at sync.target, of one day'],
    ['edgetape verify bits --for 30', 'half an hour of looking for what rotted; the next goes on where this ended'],
    ['edgetape verify --repair', 'mend it, from the other copy or from raw'],
  ],
  dump: [
    [
      'edgetape dump data/raw --channel trades --from 2026-11-22T14:00 --to 2026-11-22T14:05',
      'in order of receive time',
    ],
    ['edgetape dump trades.parquet', 'rows as JSON'],
  ],
  query: [
    ['edgetape query "SELECT kind, count(*) FROM trades GROUP BY kind"', 'a view for each table'],
    ['edgetape query --path /mnt/nas/edgetape --file spread.sql --out spread.csv', 'an answer as a file'],
    ['edgetape query --path /mnt/nas/edgetape', 'a prompt'],
  ],
  catalog: [
    ['edgetape catalog --path /mnt/nas/edgetape > edgetape.sql', 'for duckdb -init, DBeaver, notebooks'],
    ['edgetape catalog --dialect delta --path /mnt/nas/edgetape --out /mnt/nas/lake', 'finished days as Delta tables'],
    ['edgetape catalog --dialect spark --location s3://bucket/edgetape', 'for a cluster'],
  ],
  book: [
    ['edgetape book BTC-PERPETUAL --at 2026-11-22T14:00:05.25', 'the whole book at that time'],
    [
      'edgetape book BTC-PERPETUAL --every 100 --from 2026-11-22T14:00 --to 2026-11-22T15:00 --out book.parquet',
      'rows',
    ],
  ],
  replay: [['edgetape replay data --port 8090 --speed 10', 'ten times as fast as it was']],
  merge: [
    ['edgetape merge /mnt/nas/frankfurt /mnt/nas/london --out /mnt/nas/merged', 'what two recorders took, once'],
    ['edgetape merge /mnt/nas/edgetape --out /mnt/nas/merged --from 2026-11-22 --to 2026-11-23', 'one day'],
  ],
  import: [
    ['edgetape import tardis 2026-11-01.ndjson.gz --out data', 'a day of Tardis’ raw lines'],
    [
      'edgetape import raw feed.jsonl --time-field received --time-unit ms --frame-field message',
      'lines of another program',
    ],
  ],
  export: [
    [
      'edgetape export --format tardis-csv --instrument BTC-PERPETUAL --from 2026-11-22 --to 2026-11-23 --out csv',
      'trades, book and quotes of a day',
    ],
    ['edgetape export --format hftbacktest --instrument BTC-PERPETUAL --gaps restart --out npz', 'for a backtest'],
    ['edgetape export --format parquet --view trades --kind option --out trades', 'a table as it is'],
  ],
  simulate: [['edgetape simulate --port 8090 --rate 2000', 'prints the URL for exchange.url']],
  demo: [['edgetape demo --seconds 30', 'leaves all it made in ./edgetape-demo']],
  completion: [
    ['edgetape completion bash > ~/.local/share/bash-completion/completions/edgetape', 'for bash'],
    ['edgetape completion zsh > ~/.zfunc/_edgetape', 'for zsh, with fpath+=~/.zfunc before compinit'],
    ['edgetape completion fish > ~/.config/fish/completions/edgetape.fish', 'for fish'],
  ],
  help: [
    ['edgetape help sync', 'a command'],
    ['edgetape help config sync', 'keys of the config that begin so; without a word all of them'],
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

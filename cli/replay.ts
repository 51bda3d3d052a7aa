import { Command } from 'commander'
import { parseTimeUs, timeText } from '../platform/moment.js'
import { onShutdown } from '../platform/shutdown.js'
import { nonNegativeNumber, portNumber } from './number-options.js'
import { notes } from './help/notes.js'

interface ReplayFlags {
  exchange?: string
  port: number
  listen: string
  speed: number
  from?: number
  to?: number
  loop?: boolean
  cutAtGaps?: boolean
}

/** `edgetape replay`: a recording served as the exchange until stopped. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('serve a recording as if it were the exchange, at its recorded pace or any other')
    .argument('<path>', 'a dataDir, its copy on the NAS, or a folder below its raw/')
    .option('--exchange <name>', 'whose recording; default: the only one there')
    .option('--port <n>', 'port to listen on, 0 for any free one', portNumber, 8090)
    .option('--listen <address>', 'address to listen on', '127.0.0.1')
    .option('--speed <x>', 'recorded time per real time; 0 for as fast as clients take it', nonNegativeNumber, 1)
    .option('--from <time>', 'start with what was received at this time, e.g. 2026-11-22T14:00 (UTC)', parseTimeUs)
    .option('--to <time>', 'end before this time', parseTimeUs)
    .option('--loop', 'start again at the end')
    .option('--cut-at-gaps', 'close all connections at each gap of the recording, so that clients notice')
    .addHelpText(
      'after',
      notes(
        'Playing begins when a client has subscribed, and waits while none is. Channels that were not recorded are left out of the answer to a subscribe call, as the exchange does with unknown ones. Any login succeeds.',
      ),
    )
    .action(replay)
}

async function replay(path: string, { from, to, loop = false, listen, ...flags }: ReplayFlags): Promise<void> {
  const asked = new Promise<void>(resolve => onShutdown(() => resolve()))
  const { startReplay } = await import('../reader/replay/replay-server.js')
  const say = (text: string) => process.stderr.write(`edgetape: ${text}\n`)
  const onProblem = (path: string, problem: string) => say(`${path}: ${problem}`)
  const onGap = ({ fromUs, toUs, cause }: { fromUs: number; toUs: number; cause: string }) =>
    say(`the recording has a gap: ${timeText(fromUs)} to ${timeText(toUs)}, ${cause}`)
  const options = { path, loop, host: listen, ...flags, fromUs: from, toUs: to, onProblem, onGap }
  const replay = await startReplay(options)
  process.stdout.write(`${replay.url}\n`)
  const ended = replay.finished.then(() => say(`end of the recording: ${replay.framesSent()} frames sent`))
  // A failure ends the command; the end of the recording does not, for the clients are still there.
  await Promise.race([asked, ended.then(() => new Promise<never>(() => undefined))]).finally(() => replay.close())
}

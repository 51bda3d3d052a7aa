import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { execa } from 'execa'
import { EdgeError } from '../platform/edge-error.js'

const STOP_WITHIN_MS = 10_000

/** A command of ours in a process of its own; its log goes to a file. */
export interface Started {
  name: string
  /** The first line that it prints, e.g. a URL. */
  firstLine(): Promise<string>
  /** Asks it to end and waits for that; throws where it did not end well. */
  stop(): Promise<void>
}

type Child = ReturnType<typeof spawnLogged>

function spawnLogged(args: string[], log: string) {
  return execa(process.execPath, args, {
    // Ctrl-C reaches who started them alone, who ends them in order; should it be killed, they see its channel close.
    detached: true,
    ipc: true,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: { file: log, append: true },
    forceKillAfterDelay: STOP_WITHIN_MS,
    reject: false,
  })
}

/** Several processes of one program: started here, and gone when this one is, however it ends. */
export class LoggedProcesses {
  readonly #main: string
  readonly #logs: string
  readonly #running = new Set<Child>()
  readonly #failed = new AbortController()

  /** @param main the program, whose first argument names a command */
  constructor(main: string, logs: string) {
    this.#main = main
    this.#logs = logs
  }

  /** Aborts when a process ends that was not asked to; the reason says which. */
  get failed(): AbortSignal {
    return this.#failed.signal
  }

  /** Starts a command that goes on until it is stopped. */
  start(name: string, args: string[]): Started {
    const child = this.#spawn(name, [name, ...args])
    let stopping = false
    const ended = child.then(({ exitCode }) => {
      if (!stopping) this.#failed.abort(this.#failure(name, exitCode))
      return exitCode
    })
    return {
      name,
      firstLine: () => firstLineOf(child),
      stop: async () => {
        stopping = true
        child.kill('SIGTERM')
        const exitCode = await ended
        if (exitCode !== 0) throw this.#failure(name, exitCode)
      },
    }
  }

  /**
   * Runs a command to its end.
   * @returns what it printed
   * @throws EdgeError DEMO_PART_FAILED
   */
  async run(name: string, args: string[]): Promise<string> {
    const { exitCode, stdout } = await this.#spawn(name, [name, ...args])
    if (exitCode !== 0) throw this.#failure(name, exitCode)
    return stdout
  }

  /** Ends what still runs. */
  async stopAll(): Promise<void> {
    const running = [...this.#running]
    for (const child of running) child.kill('SIGTERM')
    await Promise.all(running)
  }

  #spawn(name: string, args: string[]): Child {
    const child = spawnLogged([this.#main, ...args], this.#logPath(name))
    this.#running.add(child)
    void child.then(() => this.#running.delete(child))
    return child
  }

  #failure(name: string, exitCode: number | undefined): EdgeError {
    const path = this.#logPath(name)
    const lastLine = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1) ?? ''
    return new EdgeError(
      'DEMO_PART_FAILED',
      `${name} ended with ${exitCode ?? 'a signal'}: ${lastLine.slice(0, 300)}`,
      {
        path,
        hint: `its log: ${path}`,
      },
    )
  }

  #logPath(name: string): string {
    return join(this.#logs, `${name}.log`)
  }
}

function firstLineOf(child: Child): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8')
      const end = text.indexOf('\n')
      if (end >= 0) resolve(text.slice(0, end))
    })
    void child.then(() => reject(new Error('ended before it printed a line')))
  })
}

import { execFile, spawnSync } from 'node:child_process'
import { renameSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { promisify } from 'node:util'
import { EdgeError } from './edge-error.js'

/** `renameat2`, which Node has no function for. */
const SYSCALL: Partial<Record<NodeJS.Architecture, number>> = { x64: 316, arm64: 276 }
const PERL = `exit(syscall($ARGV[0] + 0, -100, $ARGV[1], -100, $ARGV[2], 2) == 0 ? 0 : 1)`

/** Programs that ask the kernel to exchange two names at once (RENAME_EXCHANGE), in the order they are tried. */
const WAYS: readonly (readonly [string, (a: string, b: string) => string[]])[] = [
  ['exch', (a, b) => [a, b]],
  ['mv', (a, b) => ['--exchange', '--no-target-directory', a, b]],
  ['perl', (a, b) => ['-e', PERL, String(SYSCALL[process.arch] ?? -1), a, b]],
]

/** Ends the name under which `a` waits for a moment where three renames are needed. */
export const ASIDE = '.exchanged'

let working: (typeof WAYS)[number] | undefined

/**
 * Exchanges what two names of one file system stand for, in one step where the kernel and one of the programs `exch`
 * (util-linux), `mv` (coreutils 9.5) or `perl` can; else by three renames, between which `b` is missing for a moment.
 * Not durable: sync the folders of both.
 * @returns whether it was one step
 * @throws EdgeError EXCHANGE_FAILED
 */
export function exchangeNames(a: string, b: string): boolean {
  for (const way of working ? [working] : WAYS) {
    const [program, argumentsFor] = way
    if (spawnSync(program, argumentsFor(a, b), { stdio: 'ignore' }).status === 0) {
      working = way
      return true
    }
  }
  const aside = `${a}${ASIDE}`
  try {
    renameSync(a, aside)
    renameSync(b, a)
    renameSync(aside, b)
  } catch (cause) {
    throw failed(a, b, cause)
  }
  return false
}

/** The same for names on a disk that may not answer, without blocking the process. */
export async function exchangeNamesFar(a: string, b: string): Promise<boolean> {
  for (const [program, argumentsFor] of WAYS) {
    const exchanged = await promisify(execFile)(program, argumentsFor(a, b)).then(
      () => true,
      // That a program or the file system cannot do it is why there are several ways.
      () => false,
    )
    if (exchanged) return true
  }
  const aside = `${a}${ASIDE}`
  try {
    await rename(a, aside)
    await rename(b, a)
    await rename(aside, b)
  } catch (cause) {
    throw failed(a, b, cause)
  }
  return false
}

const failed = (a: string, b: string, cause: unknown) =>
  new EdgeError('EXCHANGE_FAILED', `cannot exchange ${a} and ${b}`, { path: b, cause })

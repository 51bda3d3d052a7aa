/**
 * How Node is started for the recorder: hardly anything of a frame outlives its callback, so a young heap of 1 MiB is
 * collected as cheaply as one of 16. To share so little work among threads costs more than it saves; what runs often is
 * compiled once, for good, without a step in between, and a frame's whole way into few functions, between which no stamp
 * needs an object; garbage that grew old is 2 MiB at most, not 8. V8 takes these flags at its start only.
 */
export const recorderNodeFlags: readonly string[] = [
  '--max-semi-space-size=1',
  '--single-threaded-gc',
  '--no-sparkplug',
  '--optimize-for-size',
  '--max-inlined-bytecode-size-cumulative=2500',
]

/**
 * How glibc keeps memory for the parts: in one place, where by default each of a dozen threads has its own and gives
 * nothing back. DuckDB has an allocator of its own.
 */
export const leanMemory = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '131072' } as const

/**
 * What the recorder needs for a moment, such as each read of a socket behind a proxy, 64 KiB, comes from the system alone,
 * and goes back there: among what stays, it left holes of 10 to 25 MiB.
 */
export const recorderMemory = { ...leanMemory, MALLOC_MMAP_THRESHOLD_: '32768' } as const

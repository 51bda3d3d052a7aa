/** A matcher of texts by patterns in which * stands for any text. Runs of * count as one, so that matching stays cheap. */
export function matcherOf(globs: readonly string[]): (text: string) => boolean {
  const patterns = globs.map(glob => {
    const parts = glob.split(/\*+/).map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    return new RegExp(`^${parts.join('.*')}$`, 's')
  })
  return text => patterns.some(pattern => pattern.test(text))
}

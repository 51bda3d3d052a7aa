/** What a terminal has, where nobody says otherwise. */
export const COLUMNS = 80

/** A text that others wrote, where it must not begin a line of its own. */
export const asOneLine = (text: string): string => text.replace(/[\r\n\t]+/g, ' ')

/**
 * Lines of so many columns at most, at words where that is possible. Pure.
 * @param indent before each line but the first
 */
export function wrapped(text: string, indent = '', first = indent, width = COLUMNS): string {
  const lines: string[] = []
  let line = first
  for (const word of text.split(/(?<=\S) (?=\S)/)) {
    if (line.trim() !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = indent + word
    } else line += line.endsWith(' ') || line === '' ? word : ` ${word}`
  }
  return [...lines, line].join('\n')
}

/** A name and what it means, beside each other: the meaning stays in its column. Pure. */
export const besides = (name: string, meaning: string, width: number): string =>
  wrapped(meaning, ' '.repeat(width + 4), `  ${name.padEnd(width)}  `)

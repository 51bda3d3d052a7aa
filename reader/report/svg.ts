/** A text as it may stand in HTML and SVG, also between double quotes. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, sign => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? '&quot;')

/** An element with its attributes, around what is markup already. */
export function element(name: string, attributes: Readonly<Record<string, string | number>>, inner = ''): string {
  const own = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(String(value))}"`)
  return inner === '' ? `<${name}${own.join('')}/>` : `<${name}${own.join('')}>${inner}</${name}>`
}

/** A place in a drawing, as short as a tenth of a unit may be. */
export const place = (value: number): string => String(Math.round(value * 10) / 10)

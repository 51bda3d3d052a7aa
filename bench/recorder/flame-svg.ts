import { element, escaped, place } from '../../reader/report/svg.js'
import type { Flame } from './profile.js'

const WIDTH = 960
const ROW = 16
/** Thinner ones are left out: nobody sees them. */
const LEAST_WIDTH = 2
/** About how wide a letter is, at this size. */
const LETTER = 6.2

/** Threads as flame graphs, one below the other: callers above, the wider the longer. Pure. */
export function flameSvg(threads: readonly { title: string; flame: Flame }[]): string {
  let top = 0
  const parts = threads.map(({ title, flame }) => {
    const heading = element('text', { x: 4, y: top + 14, 'font-weight': 'bold' }, escaped(title))
    const drawn = draw(flame, 0, WIDTH / Math.max(1, flame.us), top + 22)
    top = drawn.bottom + ROW
    return heading + drawn.svg
  })
  const size = { viewBox: `0 0 ${WIDTH} ${top}`, width: WIDTH, height: top }
  const style = { 'font-family': 'monospace', 'font-size': 10 }
  return `${element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, ...style }, parts.join('\n'))}\n`
}

function draw(flame: Flame, x: number, scale: number, y: number): { svg: string; bottom: number } {
  const width = flame.us * scale
  if (width < LEAST_WIDTH) return { svg: '', bottom: y }
  const box = element('rect', {
    ...{ x: place(x), y, width: place(width), height: ROW - 1, fill: colourOf(flame) },
  })
  const letters = Math.floor((width - 4) / LETTER)
  const name = flame.name.length <= letters ? flame.name : letters >= 5 ? `${flame.name.slice(0, letters - 1)}…` : ''
  const label = name === '' ? '' : element('text', { x: place(x + 2), y: y + 11 }, escaped(name))
  let svg = `${box}${label}\n`
  let bottom = y + ROW
  let at = x
  for (const call of flame.calls) {
    const below = draw(call, at, scale, y + ROW)
    svg += below.svg
    bottom = Math.max(bottom, below.bottom)
    at += call.us * scale
  }
  return { svg, bottom }
}

/** Whose function it is. */
function colourOf({ url, name }: Flame): string {
  if (name === '(garbage collector)') return '#d9d9d9'
  if (url.includes('/node_modules/')) return '#fdd0a2'
  if (url.startsWith('file:')) return '#9ecae1'
  return '#e5e5c7'
}

import { valueAxis, type Axis } from './axis.js'
import { element, escaped, place } from './svg.js'

/** One of the colours that the style sheet has for what is drawn. */
export type Tone = 1 | 2 | 3 | 4

export type Layer =
  | { shape: 'line'; name: string; tone: Tone; points: readonly Point[] }
  | { shape: 'band'; name: string; tone: Tone; points: readonly BandPoint[] }
  | { shape: 'bars'; name: string; tone: Tone; width: number; points: readonly Point[] }
  | { shape: 'dots'; name: string; tone: Tone; points: readonly (readonly [x: number, y: number, said: string])[] }

/** Null: nothing is known there, and nothing is drawn. */
export type Point = readonly [x: number, y: number | null]
export type BandPoint = readonly [x: number, range: readonly [low: number, high: number] | null]

export interface Chart {
  title: string
  /** What its values are in. */
  unit: string
  /** A sentence below the title. */
  note?: string
  x: Axis
  fromZero?: boolean
  layers: readonly Layer[]
}

/** Units of the drawing, which is as wide as its place: small enough that its text can be read on a phone. */
const WIDTH = 400
/** Half of a label, as wide as they come. */
const LAST_LABEL = 18
const HEIGHT = 190
const LEFT = 56
const RIGHT = 20
const TOP = 8
const BOTTOM = 22

/** Whether there is anything to draw. Pure. */
export function isBlank({ layers }: Chart): boolean {
  return layers.every(layer => valuesOf(layer).length === 0)
}

/** A chart with its title and legend; what has nothing to show says so. Pure. */
export function chartHtml(chart: Chart): string {
  const { title, unit, note, layers } = chart
  const head = `<figcaption><b>${escaped(title)}</b> <span>${escaped(unit)}</span></figcaption>`
  if (isBlank(chart)) return `<figure>${head}<p class="absent">not there</p></figure>`
  const said = note === undefined ? '' : `<p class="note">${escaped(note)}</p>`
  const names = layers.filter(layer => valuesOf(layer).length > 0)
  const legend =
    names.length < 2
      ? ''
      : `<ul class="legend">${names.map(({ name, tone, shape }) => `<li class="tone-${tone} key-${shape}">${escaped(name)}</li>`).join('')}</ul>`
  return `<figure>${head}${said}${drawing(chart)}${legend}</figure>`
}

function drawing({ title, unit, x, layers, fromZero }: Chart): string {
  const y = valueAxis(layers.flatMap(valuesOf), fromZero)
  const across = scale(x, LEFT, WIDTH - RIGHT)
  const up = scale(y, HEIGHT - BOTTOM, TOP)
  const rows = y.ticks.map(({ at, label }) => {
    const text = element('text', { x: LEFT - 5, y: place(up(at) + 4), class: 'value' }, escaped(label))
    return `${element('line', { x1: LEFT, x2: WIDTH - RIGHT, y1: place(up(at)), y2: place(up(at)) })}${text}`
  })
  const columns = x.ticks.map(({ at, label }) => {
    // The last one would be cut off at its right.
    const isLast = across(at) > WIDTH - RIGHT - LAST_LABEL
    const text = { x: isLast ? WIDTH : place(across(at)), y: HEIGHT - 6, class: isLast ? 'last' : 'under' }
    return element('text', text, escaped(label))
  })
  const drawn = layers.map(layer => drawLayer(layer, across, up))
  const box = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${title}, ${unit}` }
  return element('svg', box, [...rows, ...columns, ...drawn].join(''))
}

type Scale = (value: number) => number

function scale({ from, to, bend = value => value }: Axis, begin: number, end: number): Scale {
  const [low, high] = [bend(from), bend(to)]
  return value => begin + ((bend(value) - low) / (high - low || 1)) * (end - begin)
}

function drawLayer(layer: Layer, across: Scale, up: Scale): string {
  const tone = `tone-${layer.tone}`
  switch (layer.shape) {
    case 'line':
      return element('path', { class: `line ${tone}`, d: linePath(layer.points, across, up) })
    case 'band':
      return element('path', { class: `band ${tone}`, d: bandPath(layer.points, across, up) })
    case 'bars':
      return element('path', { class: `bars ${tone}`, d: barsPath(layer.points, layer.width, across, up) })
    case 'dots':
      return layer.points
        .map(([x, y, said]) =>
          element(
            'circle',
            { class: `dot ${tone}`, cx: place(across(x)), cy: place(up(y)), r: 2.2 },
            `<title>${escaped(said)}</title>`,
          ),
        )
        .join('')
  }
}

/** A point between two blanks is a dot: the line's round ends. */
function linePath(points: readonly Point[], across: Scale, up: Scale): string {
  return runs(points)
    .map(run => {
      const places = run.map(([x, y]) => `${place(across(x))} ${place(up(y))}`)
      return `M${places.join('L')}${places.length === 1 ? 'h0' : ''}`
    })
    .join('')
}

function bandPath(points: readonly BandPoint[], across: Scale, up: Scale): string {
  return runs(points)
    .map(run => {
      const above = run.map(([x, [, high]]) => `${place(across(x))} ${place(up(high))}`)
      const below = run.map(([x, [low]]) => `${place(across(x))} ${place(up(low))}`).reverse()
      return `M${[...above, ...below].join('L')}z`
    })
    .join('')
}

function barsPath(points: readonly Point[], width: number, across: Scale, up: Scale): string {
  return points
    .flatMap(([x, y]) => {
      if (y === null || y === 0) return []
      const [left, right] = [across(x), across(x + width)]
      return [
        `M${place(left)} ${place(up(0))}V${place(up(y))}H${place(Math.max(left + 0.6, right - 0.2))}V${place(up(0))}z`,
      ]
    })
    .join('')
}

/** What follows without a blank. */
function runs<Value>(points: readonly (readonly [number, Value | null])[]): (readonly [number, Value])[][] {
  const found: (readonly [number, Value])[][] = []
  let isOpen = false
  for (const [x, value] of points) {
    if (value === null) {
      isOpen = false
      continue
    }
    if (!isOpen) found.push([])
    isOpen = true
    found.at(-1)?.push([x, value])
  }
  return found
}

function valuesOf(layer: Layer): number[] {
  if (layer.shape === 'band') return layer.points.flatMap(([, range]) => range ?? [])
  if (layer.shape === 'dots') return layer.points.map(([, y]) => y)
  return layer.points.flatMap(([, y]) => y ?? [])
}

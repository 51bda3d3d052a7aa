import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../platform/package-info.js'

const [, page = ''] =
  /^## Arithmetic$([^]*?)^## /m.exec(readFileSync(join(packageRoot, 'docs', 'scaling.md'), 'utf8')) ?? []

/** The number behind a mark in the text. */
const said = (mark: string) => {
  const [, dividend = '', divisor = '1'] = new RegExp(`<!-- ${mark} -->\\$?([\\d,.]+)(?:/(\\d+))?`).exec(page) ?? []
  return numberOf(dividend) / Number(divisor)
}

const round = (value: number, digits: number) => Number(value.toFixed(digits))

const numberOf = (text: string) => Number(text.replaceAll(',', ''))

t.test('the table follows from the numbers above it', t => {
  const plan = Object.fromEntries(
    ['bytes', 'sealed', 'server', 'serverCost', 'storageCost'].map(mark => [mark, said(mark)] as const),
  ) as Record<'bytes' | 'sealed' | 'server' | 'serverCost' | 'storageCost', number>
  const rows = [...page.matchAll(/^\| [^|]+ \| +([\d,]+) \| +([\d,.]+) \| +([\d,.]+) \| +([\d.]+) \| +([\d,]+) \|$/gm)]
  t.equal(rows.length, 5)
  for (const [, ...cells] of rows) {
    const [perSecond = NaN, json = NaN, disk = NaN, years = NaN, dollars = NaN] = cells.map(numberOf)
    const jsonGB = (perSecond * plan.bytes * 86_400) / 1e9
    const diskGB = jsonGB * plan.sealed * 2
    const servers = Math.ceil(perSecond / plan.server)
    t.equal(json, round(jsonGB, 1), `${perSecond} frames/s: JSON`)
    t.equal(disk, round(diskGB, 1), 'on disk, raw and Parquet')
    t.equal(years, round(4000 / (diskGB * 365), 1), 'until 4 TB are full')
    t.equal(dollars, round(servers * plan.serverCost + ((diskGB * 365) / 1000) * plan.storageCost, 0), 'after a year')
  }
  t.end()
})

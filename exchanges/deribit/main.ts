import type { Exchange } from '../exchange.js'
import { tables } from './tables.js'

export const deribit: Exchange = { name: 'deribit', tables }

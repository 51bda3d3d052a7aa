import type { core } from 'zod'
import { z } from '../platform/zod.js'
import { pathComplaint, pathMeta } from './paths.js'

/** A check whose complaint says what was wanted. */
export function complainsBy(complaintOf: (text: string) => string | undefined) {
  return (input: string, context: core.$RefinementCtx<string>) => {
    const message = complaintOf(input)
    if (message !== undefined) context.addIssue({ code: 'custom', input, message })
  }
}

/** A whole number with its bounds, its default and its meaning. */
export const whole = (least: number, most: number, fallback: number, meaning: string) =>
  z.int().min(least).max(most).default(fallback).describe(meaning)

/** The same of any number. */
export const amount = (least: number, most: number, fallback: number, meaning: string) =>
  z.number().min(least).max(most).default(fallback).describe(meaning)

/** A path in the config: made absolute when it is loaded. */
export const path = z.string().superRefine(complainsBy(pathComplaint)).meta(pathMeta('path'))

import type { EventOfDay } from '../../coverage/account/day.js'

/** It goes on, or the exchange was asked for what is missing and it is missing all the same. */
export const isOpenGap = ({ lasts, couldHeal }: EventOfDay) => lasts || couldHeal

/** Where now stands between thisUpdate and nextUpdate, in cells of a bar: for the terminal and for the page. */

export interface Timeline {
  /** Now is before thisUpdate, in the window, or past nextUpdate. */
  readonly place: 'before' | 'within' | 'after'
  /** From 0 at thisUpdate to 1 at nextUpdate; outside of it where now is. */
  readonly position: number
  /** How long it still holds without a newer one; negative when it is over. */
  readonly leftMs: number
  /** How long until it begins; negative when it has begun. */
  readonly aheadMs: number
}

/** Places a moment in a window. */
export function placeIn(from: Date, to: Date, at: Date): Timeline {
  const windowMs = to.getTime() - from.getTime()
  const leftMs = to.getTime() - at.getTime()
  const position = windowMs > 0 ? (at.getTime() - from.getTime()) / windowMs : leftMs > 0 ? 0 : 1
  return {
    place: at < from ? 'before' : leftMs > 0 ? 'within' : 'after',
    position,
    leftMs,
    aheadMs: from.getTime() - at.getTime(),
  }
}

/** How urgent it is: a server that renews at half of the window never comes into its last quarter. */
export function urgencyOf({ place, position }: Timeline, helps: boolean): 'good' | 'warn' | 'bad' {
  if (!helps || place !== 'within' || position > 0.9) return 'bad'
  return position > 0.75 ? 'warn' : 'good'
}

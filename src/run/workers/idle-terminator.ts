/** A terminator that serves nothing yet: what it is to serve is prepared in it, as every plan after the first is. */
import {
  createTerminator,
  type FrontPlan,
  type Terminator,
  type TerminatorOptions,
} from '../../serve/terminator/index.ts'

/** Creates one for a plan. Throws as `createTerminator` does. */
export function createIdleTerminator(
  plan: FrontPlan,
  surroundings: Pick<TerminatorOptions, 'keeper' | 'clock' | 'ticketKeys' | 'judgePeer'>,
): Terminator {
  // One site that staples nothing: no certificate is loaded twice, and what the first plan refuses is news.
  const sites = plan.sites.slice(0, 1).map((site) => ({ ...site, mode: 'never' as const }))
  return createTerminator({ ...plan, listeners: [], sites, ...surroundings })
}

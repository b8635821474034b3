/** What the fetcher's tests share: one certificate, and a fetcher with short times that ends with the test. */
import { isStapleError, type StapleError } from '../../../src/errors.ts'
import { systemClock } from '../../../src/keep/clock.ts'
import { createFetcher, type Fetcher, type FetcherOptions, type StapleQuestion } from '../../../src/keep/fetch/index.ts'
import { createAuthority } from '../../kit/authority.ts'
import { endsWithTest } from '../../kit/lifetime.ts'

export const authority = await createAuthority()
export const leaf = await authority.issueLeaf()

export function createTestFetcher(options: Partial<FetcherOptions> = {}): Fetcher {
  const fetcher = createFetcher({ clock: systemClock, proxy: 'none', requestTimeoutMs: 2000, ...options })
  endsWithTest(() => fetcher.close())
  return fetcher
}

export function ask(urls: string | readonly string[], rest: Partial<StapleQuestion> = {}): StapleQuestion {
  return {
    certificate: leaf.certificate,
    issuer: leaf.issuer,
    responderURLs: typeof urls === 'string' ? [urls] : urls,
    ...rest,
  }
}

/** The failure of a fetch that must fail. */
export async function failureOf(fetching: Promise<unknown>): Promise<StapleError<'ERR_FETCH_FAILED'>> {
  const outcome = await fetching.then(
    (value) => value,
    (error: unknown) => error,
  )
  if (isStapleError(outcome, 'ERR_FETCH_FAILED')) return outcome
  throw new Error('expected ERR_FETCH_FAILED', { cause: outcome })
}

/** The codes of every cause, in order. */
export async function causesOf(fetching: Promise<unknown>): Promise<string[]> {
  return (await failureOf(fetching)).detail.causes.map((cause) => cause.code)
}

/** The first cause. */
export async function firstCauseOf(fetching: Promise<unknown>): Promise<StapleError> {
  const [cause] = (await failureOf(fetching)).detail.causes
  if (!cause) throw new Error('expected a cause')
  return cause
}

/** The fetcher's door: staples and issuers over HTTP. Re-exports only; start at fetcher.ts. */

export type {
  CrlQuestion,
  FetchedCrl,
  FetchedStaple,
  Fetcher,
  FetcherOptions,
  HttpExchange,
  HttpMethod,
  Origin,
  StapleQuestion,
  VerifyPolicies,
} from './contract.ts'
export { refusedAnswerOf } from './failure.ts'
export { createFetcher } from './fetcher.ts'

/** Asking CAs about anybody's certificate: this folder's door. Re-exports only; start at asker.ts. */
export type { StatusFetcher } from './ask-ca.ts'
export { createStatusAsker, type StatusAskerOptions } from './asker.ts'
export type { RevocationPolicy, StatusAnswer, StatusAsker, StatusQuestion } from './contract.ts'

/** The door to probing: connect to a live server and record what it presents. */
export type { ProbeOptions } from './options.ts'
export { probe } from './probe.ts'
export * from './record.ts'
export { guessStarttls } from './starttls/protocols.ts'

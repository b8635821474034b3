/**
 * What `staplewright check` found, told in four ways: for a person, for a program, for Prometheus, and as a page.
 *
 * summarize.ts turns examinations into plain data; the others only format it.
 */
export { formatJson } from './json.ts'
export type { CheckReport, TargetReport, Verdict } from './shape.ts'
export { summarize, summarizeRun } from './summarize.ts'
export { formatText, type TextLook } from './text.ts'
export { reportBroken, reportObstacle } from './unseen.ts'

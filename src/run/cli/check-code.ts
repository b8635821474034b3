/** Exit codes of commands that a monitoring system runs, as Nagios plugins have them. */
export const CheckCode = {
  ok: 0,
  warning: 1,
  critical: 2,
  /** Nobody answers, or the command line is wrong: nothing is known. */
  unknown: 3,
} as const

export type CheckCode = (typeof CheckCode)[keyof typeof CheckCode]

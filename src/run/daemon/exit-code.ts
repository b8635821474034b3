/** How a run ends, as systemd and scripts read it (docs/guide/front.md). */
export const ExitCode = {
  ok: 0,
  /** A port in use, a permission, a defect. */
  internal: 1,
  /** The configuration or the command line. */
  config: 2,
  /** A certificate is revoked and the policy is to stop; do not restart. */
  revoked: 3,
  /** A staple that is needed did not come at start. */
  noStaple: 4,
} as const

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]
